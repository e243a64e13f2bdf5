"""Whether two runs started from equal weights, where no record saw it: a sample of the sweep."""

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("sklearn")

from unseen_starts import pairs

from fpdrift.comparison import compare


@pytest.mark.slow
def test_equal_starts_are_never_called_different_and_other_seeds_are_found():
    """Rates up to 0.01, which are those that people use, move weights less than a seed does."""
    found = [(what, equal, rate, compare(a, b)) for what, equal, rate, a, b in pairs(RNG(4), 6)]
    assert not [(what, rate) for what, equal, rate, its in found if equal and its.different_weights]
    known = [
        its.different_weights
        for what, _, rate, its in found
        if what == "seed" and rate <= 0.01 and its.alike_updates
    ]
    assert known
    assert all(known)


RNG = np.random.default_rng
