"""A sample of the pairs that `tests/faults/sweep_mathematics.py` judges."""

import numpy as np
import pytest
from helpers import require

pytestmark = pytest.mark.slow
SEED, OF_EACH = 1, 4
#: No bit of one step from a given state differs, as docs/rounding.md says: the state has it.
WITHOUT_EFFECT = "initial_accumulator_value"


@pytest.fixture(scope="module")
def pairs():
    """Draw as many of both truths, without those that XLA has to compile."""
    require("tensorflow")
    from judge_pairs import PAIRS

    rng = np.random.default_rng(SEED)
    odd = ("XLA", WITHOUT_EFFECT)
    plain = [pair for pair in PAIRS if not any(text in pair.name for text in odd)]
    drawn = []
    for truth in ("rounding", "different"):
        those = [pair for pair in plain if pair.truth == truth]
        drawn += [those[i] for i in rng.choice(len(those), OF_EACH, replace=False)]
    return drawn


def test_planted_pairs_are_judged_right(pairs):
    from sweep_mathematics import SAYS, judge_pair

    wrong = []
    for pair in pairs:
        verdict, reason = judge_pair(pair)
        if SAYS[verdict] != pair.truth:
            wrong.append(f"{pair.name}: {verdict}: {reason}")
    assert wrong == []
