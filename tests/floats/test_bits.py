"""Equal bits: what `==` says of numbers is neither true of NaN nor of zeros."""

import ml_dtypes
import numpy as np
import pytest

from fpdrift.floats import bits_of, same_bits, ulp_at

DTYPES = ["bool", "uint8", "int64", "float16", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("dtype", [*DTYPES, ml_dtypes.bfloat16])
def test_only_equal_bytes_are_the_same_bits(dtype):
    size = np.dtype(dtype).itemsize
    a = np.random.default_rng(1).integers(0, 2, 24 * size, dtype=np.uint8).view(dtype)
    b = np.random.default_rng(2).integers(0, 2, 24 * size, dtype=np.uint8).view(dtype)
    b[:6] = a[:6]
    wanted = np.array([x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True)])
    assert wanted[:6].all()
    assert not wanted.all()
    assert same_bits(a, b).tolist() == wanted.tolist()
    turned = [x.reshape(4, 6).T for x in (a, b)]
    assert same_bits(*turned).tolist() == wanted.reshape(4, 6).T.tolist()


def test_zeros_differ_and_a_nan_is_itself():
    assert same_bits(np.float32([0, np.nan]), np.float32([-0.0, np.nan])).tolist() == [False, True]
    assert bits_of(np.float32(-0.0)) == 1 << 31
    assert bits_of(np.float32([1]))[0] == 0x3F800000


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_an_ulp_is_what_numpy_calls_spacing(dtype):
    values = np.array([0, 5e-8, 1, 1.5, 2, 3, 1000, 60000], dtype)
    assert ulp_at(values, dtype).tolist() == np.spacing(values).astype(float).tolist()
