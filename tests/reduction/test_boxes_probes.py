"""How many calls revealing takes, counted by the black box."""

import numpy as np
import pytest
from black_boxes import Counted

from fpdrift.floats import FORMATS
from fpdrift.reduction import plans, reveal
from fpdrift.reduction._reveal._probing import ProbedFunction, mask_of
from fpdrift.reduction._reveal._search import Search

#: Numbers as huge as a mask, and nothing as huge elsewhere.
HUGE = 2.0**100


class Masked(Counted):
    """A function that counts its calls with plus and minus one huge number, and zeros or ones."""

    def __init__(self, function):
        super().__init__(function)
        self.probes = 0

    def __call__(self, x):
        if x.max() > HUGE and x.min() == -x.max() and np.count_nonzero(np.abs(x) > 1) == 2:
            self.probes += 1
        return super().__call__(x)


def reversed_(x):
    return np.add.accumulate(x[::-1])[-1]


@pytest.mark.slow
def test_a_reversed_sum_takes_at_most_two_thousand_probes_whatever_is_drawn():
    plan = plans.reversed_(1024)
    for seed in range(100):
        box = ProbedFunction(reversed_, 1024, FORMATS["float32"], "a sum")
        order = np.random.default_rng(seed).permutation(1024).tolist()
        assert Search(box, mask_of(box.fmt)).tree(order) == plan
        assert box.calls <= 2000


@pytest.mark.parametrize("seed", range(10))
def test_the_calls_that_are_reported_are_those_that_the_box_counts(seed):
    box = Masked(reversed_)
    found = reveal(box, 1024, rng=np.random.default_rng(seed))
    assert (found.verdict, found.plan) == ("confirmed", plans.reversed_(1024))
    assert found.calls == box.calls
    assert found.probes <= box.probes <= found.probes + found.evidence.fresh
    assert found.probes <= 2000


def test_the_same_call_asks_and_finds_the_same():
    first, second = (reveal(np.sum, 100).to_json() for _ in range(2))
    assert first == second
