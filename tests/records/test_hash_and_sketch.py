import ml_dtypes
import numpy as np
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from fpdrift.records import BUCKETS, content_hash, is_due, mix64, relative_standard_error, sketch

WORD = (1 << 64) - 1


def splitmix64(seed, count):
    """The generator as its authors print it, in Python's integers."""
    outputs = []
    for _ in range(count):
        seed = (seed + 0x9E3779B97F4A7C15) & WORD
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
        outputs.append(z ^ (z >> 31))
    return outputs


def scalar_sketch(values):
    sums = [0.0] * BUCKETS
    for value, bits in zip(np.ravel(values), splitmix64(0, np.size(values)), strict=True):
        sums[bits >> 54] += -float(value) if bits >> 53 & 1 else float(value)
    return np.array(sums)


def test_mix64_is_splitmix64():
    assert mix64(np.arange(1000, dtype=np.uint64)).tolist() == splitmix64(0, 1000)
    assert int(mix64(np.uint64(0))) == 0xE220A8397B1DCDAF  # its published first output from 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "int64", "bool"])
def test_content_hash_is_that_of_the_bytes(dtype):
    array = np.arange(12).reshape(3, 4).astype(np.dtype(dtype))
    assert content_hash(array) == xxhash.xxh3_64_intdigest(array.tobytes())
    assert content_hash(array.T) == xxhash.xxh3_64_intdigest(array.T.tobytes())
    assert content_hash(array[0, 0]) == xxhash.xxh3_64_intdigest(array[0, 0].tobytes())


def test_one_bit_and_the_sign_of_zero_change_the_hash():
    array = np.zeros(1000, np.float32)
    other = array.copy()
    other[777] = -0.0
    assert content_hash(array) != content_hash(other)


@pytest.mark.parametrize("shape", [(0,), (1,), (), (7, 11), (300_000,)])
def test_sketch_equals_the_plain_loop(shape):
    values = np.random.default_rng(3).integers(-999, 999, shape).astype(np.float32)  # exact sums
    assert np.array_equal(sketch(values), scalar_sketch(values))


@given(st.sampled_from(["float16", "bfloat16", "float32", "float64"]), st.integers(0, 2**32))
def test_sketch_is_linear_in_every_dtype(dtype, seed):
    dtype = np.dtype(getattr(ml_dtypes, dtype, dtype))
    a, b = np.random.default_rng(seed).integers(-8, 8, (2, 50)).astype(dtype)
    total = a.astype(np.float64) + b.astype(np.float64)
    assert np.array_equal(sketch(a) + sketch(b), sketch(total))


def test_squared_length_estimates_within_the_stated_error():
    rng = np.random.default_rng(5)
    errors = [np.sum(sketch(x) ** 2) / (x @ x) - 1 for x in rng.standard_normal((400, 5000))]
    spread = np.sqrt(np.mean(np.square(errors)))
    assert relative_standard_error == pytest.approx(np.sqrt(2 / 1024))
    assert spread == pytest.approx(relative_standard_error, rel=0.15)
    assert abs(np.mean(errors)) < 4 * relative_standard_error / np.sqrt(400)


def test_a_jump_in_one_column_is_not_misjudged():
    jumped = np.zeros((4608, 512), np.float32)
    jumped[:, 77] = np.random.default_rng(2).standard_normal(4608)
    distance = np.linalg.norm(sketch(jumped)) / np.linalg.norm(jumped.astype(np.float64))
    assert distance == pytest.approx(1, abs=4 * relative_standard_error / 2)


def test_not_a_number_and_infinity_stay_visible():
    values = np.zeros(10, np.float32)
    values[3] = np.nan
    assert np.isnan(sketch(values)).sum() == 1
    values[3] = np.inf
    assert np.isinf(sketch(values)).sum() == 1
    assert np.isnan(sketch(np.resize(np.float32([np.inf, -np.inf]), 100_000))).any()


def test_schedule():
    due = [step for step in range(100) if is_due(step, step - 1)]
    assert due == [*range(33), *range(40, 100, 8)]


def test_schedule_where_several_steps_are_seen_at_once():
    steps = [0, *range(3, 70, 3)]
    due = [b for a, b in zip([-1, *steps], steps, strict=False) if is_due(b, a)]
    assert due == [*range(0, 34, 3), 42, 48, 57, 66]
    assert is_due(1000, 0)
