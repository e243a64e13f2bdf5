"""What chance decides is the same bits everywhere: pinned here, and drawn again by plain loops."""

import math
from collections import Counter

import numpy as np
import pytest
from helpers import require
from hypothesis import given
from hypothesis import strategies as st

from fpdrift.errors import FpdriftError
from fpdrift.training._datasets import load
from fpdrift.training._hash_rng import Purpose, digest, hashed_bits, permutation, uniform
from fpdrift.training._networks import (
    NETWORKS,
    SHAPES,
    initial_weights,
    network_of,
    starting_weights,
)

ALL = 2**64 - 1


def mix(x):
    """SplitMix64's output for the state x + 1, in whole numbers of any length."""
    z = (x + 1) * 0x9E3779B97F4A7C15 & ALL
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & ALL
    z = (z ^ z >> 27) * 0x94D049BB133111EB & ALL
    return z ^ z >> 31


@given(st.lists(st.integers(0, ALL), max_size=3), st.sampled_from(Purpose))
def test_hashed_bits_against_whole_numbers(key, purpose):
    state = mix(purpose)
    for word in key:
        state = mix(state ^ word)
    expected = [mix(state + i & ALL) for i in range(5)]
    assert hashed_bits(purpose, *key, count=5).tolist() == expected


def test_uniform_reaches_its_ends_and_never_zero():
    ends = np.array([0, 2**63 - 1, 2**63, ALL], np.uint64)
    values = uniform(ends, 0.5)
    assert values.dtype == np.float32
    assert values.tolist() == [-0.5, -(2.0**-53), 2.0**-53, 0.5]
    odd = (2 * (12345678901234567890 >> 12) + 1 - 2**52) * (0.1 * 2.0**-52)
    assert uniform(np.array([12345678901234567890], np.uint64), 0.1)[0] == np.float32(odd)


@pytest.mark.parametrize("count", [1, 2, 1437, 30_000])
def test_every_epoch_is_a_permutation_of_its_own(count):
    first, second = permutation(1, 0, count), permutation(1, 1, count)
    assert sorted(first) == sorted(second) == list(range(count))
    if count > 2:
        assert first.tolist() != second.tolist()
        assert first.tolist() != permutation(2, 0, count).tolist()


def test_order_and_start_are_pinned():
    """Records are compared over years and machines: these may not change unnoticed."""
    assert digest(permutation(1, 0, 30_000).astype("<i8")) == "3ed4ebc555557ba2"
    assert digest(*initial_weights(SHAPES, "he", 1).values()) == "f7669ea82082199d"
    assert digest(*initial_weights(SHAPES, "glorot", 1).values()) == "11b7b752ca034617"


def test_starting_weights_are_those_that_are_trained():
    weights = starting_weights("question", 3)
    assert sum(w.size for w in weights.values()) == 2_375_658
    drawn = initial_weights(SHAPES, "glorot", 3)
    assert digest(*weights.values()) == digest(*(drawn[name] for name in weights))


@pytest.mark.parametrize(
    ("start", "name", "limit"),
    [
        ("he", "conv1/kernel", math.sqrt(6 / 9)),
        ("he", "dense2/kernel", math.sqrt(6 / 512)),
        ("glorot", "conv1/kernel", math.sqrt(6 / (9 + 288))),
        ("glorot", "dense2/kernel", math.sqrt(6 / 522)),
    ],
)
def test_kernels_fill_their_range_evenly(start, name, limit):
    kernel = initial_weights(SHAPES, start, 5)[name]
    assert kernel.shape == SHAPES[name]
    assert kernel.dtype == np.float32
    assert 0.9 * limit < np.abs(kernel).max() <= np.float32(limit)
    # variance of the uniform distribution, and of the mean of n draws; 5 standard errors
    n = kernel.size
    assert abs(kernel.mean()) < 5 * limit / math.sqrt(3 * n)
    assert abs(kernel.var() - limit**2 / 3) < 5 * limit**2 * math.sqrt(4 / 45 / n)


def test_other_weights_start_at_one_or_zero():
    weights = initial_weights(SHAPES, "he", 1)
    for name in SHAPES:
        role = name.split("/")[1]
        if role != "kernel":
            value = {"gamma": 1, "moving_variance": 1}.get(role, 0)
            assert (weights[name] == value).all()


def test_seeds_and_tensors_draw_different_weights():
    shapes = {"a/kernel": (4, 4), "b/kernel": (4, 4)}
    drawn = [digest(w) for seed in (0, 1, 2**32 - 1) for w in _drawn(shapes, seed)]
    assert len(set(drawn)) == 6


def _drawn(shapes, seed):
    return initial_weights(shapes, "he", seed).values()


@pytest.mark.parametrize("name", ["", "Answer", None, ["answer"], "x" * 10_000])
def test_unknown_network_lists_the_choices(name):
    with pytest.raises(FpdriftError, match=r"unknown network .*; choose one of answer, question"):
        network_of(name)


def test_networks_differ_in_their_start():
    assert NETWORKS["answer"].start == "he"
    assert NETWORKS["question"].start == "glorot"


def test_noise_has_one_content():
    data = load("noise", validation=256)
    assert data.train_images.shape == (30_000, 28, 28, 1)
    assert data.train_labels.shape == (30_000, 10)
    assert data.validation_images.shape == (256, 28, 28, 1)
    assert data.validation_labels.shape == (256, 10)
    assert {array.dtype for array in _arrays(data)} == {np.dtype(np.float32)}
    assert not any(array.flags.writeable for array in _arrays(data))
    assert data.hash == load("noise", validation=1).hash
    fewer = load("noise", validation=7)
    assert digest(fewer.validation_images) == digest(data.validation_images[:7])
    assert digest(fewer.validation_labels) == digest(data.validation_labels[:7])
    assert (data.train_images[:256] != data.validation_images).mean() > 0.99


def test_noise_is_standard_normal_with_even_classes():
    data = load("noise", validation=0)
    n = data.train_images.size
    assert abs(data.train_images.mean(dtype=float)) < 5 / math.sqrt(n)
    assert abs(data.train_images.var(dtype=float) - 1) < 5 * math.sqrt(2 / n)
    assert (data.train_labels.sum(axis=1) == 1).all()
    assert all(2700 < count < 3300 for count in Counter(data.train_labels.argmax(1)).values())


def test_multi_hot_labels_are_ten_independent_bits():
    data = load("noise", "multi-hot", validation=3)
    assert set(np.unique(data.train_labels)) == {0, 1}
    assert data.validation_labels.shape == (3, 10)
    sums = data.train_labels.sum(axis=1)
    assert {0, 10} < set(sums)  # 1 of 1,024 each
    correlation = np.corrcoef(data.train_labels.T)
    assert np.abs(correlation - np.eye(10)).max() < 5 / math.sqrt(30_000)
    assert data.hash != load("noise", validation=0).hash


def test_digits_are_split_padded_and_scaled():
    require("sklearn")
    data = load("digits")
    assert data.train_images.shape == (1437, 28, 28, 1)
    assert data.validation_images.shape == (360, 28, 28, 1)
    images = np.concatenate([data.train_images, data.validation_images])
    assert (images.min(), images.max()) == (0, 1)
    assert (images * 16 == np.round(images * 16)).all()
    frame = images.copy()
    frame[:, 10:18, 10:18] = 0
    assert not frame.any()
    from sklearn.datasets import load_digits

    small, classes = load_digits(return_X_y=True)
    labels = np.concatenate([data.train_labels, data.validation_labels]).argmax(axis=1)
    ours = Counter(
        (image.tobytes(), int(label))
        for image, label in zip(np.float64(images[:, 10:18, 10:18]) * 16, labels, strict=True)
    )
    assert ours == Counter((i.tobytes(), int(c)) for i, c in zip(small, classes, strict=True))


@pytest.mark.parametrize(
    ("name", "labels", "text"),
    [
        ("mnist", "one-hot", "unknown data 'mnist'; choose one of noise, digits"),
        (None, "one-hot", "unknown data None"),
        ({}, "one-hot", "unknown data {}"),
        (
            "noise",
            "two-hot",
            "unknown labels for noise 'two-hot'; choose one of one-hot, multi-hot",
        ),
        ("digits", "multi-hot", "unknown labels for digits 'multi-hot'; choose one of one-hot$"),
        ("noise", ["one-hot"], "unknown labels for noise"),
    ],
)
def test_unknown_data_and_labels_are_refused(name, labels, text):
    with pytest.raises(FpdriftError, match=text):
        load(name, labels)


@pytest.mark.parametrize("validation", [-1, 30_001, 2.5, "all"])
def test_bad_number_of_validation_images_is_refused(validation):
    with pytest.raises(FpdriftError, match=r"validation is .*; choose a .* from 0 to 30000"):
        load("noise", validation=validation)


def _arrays(data):
    return (
        data.train_images,
        data.train_labels,
        data.validation_images,
        data.validation_labels,
    )
