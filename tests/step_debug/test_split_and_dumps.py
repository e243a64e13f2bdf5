"""Splitting and comparing on made states: plain arithmetic is the oracle, no framework needed."""

import ml_dtypes
import numpy as np
import pytest

from fpdrift.step_debug._decompose import split
from fpdrift.step_debug._trace_file import TracedTensor, differences, load, save


def written(folder, kind, weights):
    """A state file: the weights count, its other tensors do not."""
    save(
        folder / f"{kind}0.npz",
        [TracedTensor("weight", "w", "", weights), TracedTensor("slot", "s", "", weights)],
    )


def test_split_is_the_formula(tmp_path):
    rng = np.random.default_rng(1)
    ours, theirs = tmp_path / "a", tmp_path / "b"
    ours.mkdir()
    theirs.mkdir()
    a, b, own_a, own_b, cross = rng.standard_normal((5, 2, 7)).astype(np.float32)
    for folder, kind, weights in (
        (ours, "state", a),
        (theirs, "state", b),
        (ours, "own", own_a),
        (theirs, "own", own_b),
        (ours, "cross", cross),
    ):
        written(folder, kind, weights)
    found = split(0, ours, theirs, exact_a=True, exact_b=False)
    a, b, own_a, own_b, cross = (x.astype(np.float64) for x in (a, b, own_a, own_b, cross))
    square = ((own_a - own_b) ** 2).sum()
    assert found.before**2 == pytest.approx(((a - b) ** 2).sum())
    assert found.total**2 == pytest.approx(square)
    assert found.amplified**2 == pytest.approx(((own_a - cross) ** 2).sum())
    assert found.injected**2 == pytest.approx(((cross - own_b) ** 2).sum())
    share = ((cross - own_b) * (own_a - own_b)).sum() / square
    assert found.injected_share == pytest.approx(share)
    assert found.amplified_share + found.injected_share == pytest.approx(1)
    assert (found.exact_a, found.exact_b) == (True, False)


@pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16, "float32", "float64", "int64"])
def test_difference_is_found_through_a_file(tmp_path, dtype):
    a = np.ones((2, 3), dtype)
    b = a.copy()
    b[1, 0] += np.asarray(2, dtype)
    b[1, 2] = -b[1, 2]
    for name, values in (("a", a), ("b", b)):
        save(tmp_path / f"{name}.npz", [TracedTensor("forward", "x", "layer", values)])
    compared, (found,), unmatched = differences(load(tmp_path / "a.npz"), load(tmp_path / "b.npz"))
    assert (compared, unmatched) == (1, ())
    assert (found.first_index, found.value_a, found.value_b) == ((1, 0), 1, 3)
    assert (found.differing, found.size, found.shape) == (2, 6, (2, 3))
    assert found.relative == pytest.approx(np.sqrt(8 / 6))
    assert (found.largest_ulps is None) == (dtype == "int64")


def test_signed_zero_nan_and_lonely_tensors():
    ours = [
        TracedTensor("loss", "x", "", np.array([0.0, np.nan])),
        TracedTensor("loss", "y", "", np.ones(2)),
    ]
    theirs = [
        TracedTensor("loss", "x", "", np.array([-0.0, np.nan])),
        TracedTensor("loss", "z", "", np.ones(2)),
    ]
    compared, (found,), unmatched = differences(ours, theirs)
    assert (compared, found.differing, found.largest_ulps) == (1, 1, 0)
    assert unmatched == ("loss y", "loss z")
    (found,) = differences(ours[:1], [TracedTensor("loss", "x", "", np.array([0.0, 1]))])[1]
    assert found.largest_ulps is None


def test_what_the_parts_miss_of_the_total_is_not_hidden(tmp_path):
    """Sizes so unlike that float64 rounds each part: the residual is what is left of it."""
    values = {"state": 0.0, "own": 1.0, "cross": 1e17}
    for side, own in (("a", 1.0), ("b", 3.0)):
        (tmp_path / side).mkdir()
        for kind, value in values.items():
            written(tmp_path / side, kind, np.array([own if kind == "own" else value]))
    found = split(0, tmp_path / "a", tmp_path / "b", exact_a=True, exact_b=True)
    cross = np.float64(1e17)
    assert found.residual == abs((1.0 - 3.0) - ((1.0 - cross) + (cross - 3.0)))
    assert found.residual > 0
