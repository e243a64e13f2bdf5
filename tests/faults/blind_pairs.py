"""Pairs of training steps with a known truth, written without sight of the code that judges them.

A pair whose truth is "rounding" computes the same in exact arithmetic; some are equal to the bit.
A pair whose truth is "different" does not: after one step in float64 it is as far apart as in
float32, or nearly. The comments in the two files say why. All start from the same state, and
`options` holds the other arguments of `judge_step`.
"""

from blind_different import different_pairs
from blind_rounding import rounding_pairs

PAIRS = [*rounding_pairs(), *different_pairs()]
