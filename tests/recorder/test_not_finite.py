"""What is infinite or NaN is found in every dtype, whatever bits it has."""

import ml_dtypes
import numpy as np
import pytest

from fpdrift.recorder._writer_thread import not_finite
from fpdrift.records import Tensor

DTYPES = (np.float16, ml_dtypes.bfloat16, np.float32, np.float64)


def found(*arrays, roles=None, every=True):
    roles = roles or ["weight"] * len(arrays)
    tensors = [
        Tensor(str(i), role, array.shape, array.dtype.name, "hash")
        for i, (role, array) in enumerate(zip(roles, arrays, strict=True))
    ]
    return not_finite(tensors, list(arrays), every=every)


@pytest.mark.parametrize("dtype", DTYPES[:2])
def test_bit_patterns_on_either_side_of_infinity(dtype):
    infinity = int(np.array(np.inf, dtype).view(np.uint16))
    near = [0, 1, *range(infinity - 3, infinity + 4), 0x7FFF]
    bits = np.array([sign | pattern for pattern in near for sign in (0, 0x8000)], np.uint16)
    expected = [str(i) for i, b in enumerate(bits) if b & 0x7FFF >= infinity]
    patterns = bits.view(dtype)
    assert found(*patterns.reshape(-1, 1)) == expected
    finite = patterns[bits & 0x7FFF < infinity]
    assert found(*(np.append(finite, pattern) for pattern in patterns)) == expected


@pytest.mark.parametrize("dtype", DTYPES)
def test_extremes_zeros_and_empty_arrays_are_finite(dtype):
    limits = ml_dtypes.finfo(dtype)
    extremes = np.array([limits.max, limits.min, limits.smallest_subnormal, 0.0, -0.0], dtype)
    assert found(extremes, extremes.reshape(5, 1), extremes[:0], extremes[0].reshape(())) == []
    for bad in (np.inf, -np.inf, np.nan, -np.nan):
        assert found(np.append(extremes, dtype(bad)), np.array(bad, dtype)) == ["0", "1"]
        assert found(np.append(extremes, dtype(bad))[::-2]) == ["0"]


def test_slots_are_looked_at_once_the_model_holds_one():
    good, bad = np.ones(2, np.float32), np.array([1, np.nan], np.float32)
    whole, flag = np.arange(3), np.array([True])
    roles = ["slot", "weight", "seed", "statistic"]
    assert found(bad, good, whole, good, roles=roles, every=False) == []
    assert found(bad, good, whole, bad, roles=roles, every=False) == ["0", "3"]
    assert found(bad, good, whole, good, roles=roles) == ["0"]
    assert found(whole, flag, np.array([1j, np.nan])) == ["2"]
