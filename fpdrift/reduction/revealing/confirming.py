"""Run a plan beside the function: on numbers of all kinds, and, for products, on random factors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fpdrift.reduction.plan import Plan
from fpdrift.reduction.revealing.flushing import flushed_replay
from fpdrift.reduction.revealing.kinds import Finish
from fpdrift.reduction.revealing.notes import Notes, Verdict
from fpdrift.reduction.revealing.probing import BlackBox
from fpdrift.reduction.revealing.products import Flags, product_sums, unrounded_inputs
from fpdrift.reduction.revealing.replaying import Replay, accumulators, best_replay, same_bits
from fpdrift.reduction.rounding import Floats


def confirmed_replay(
    plan: Plan, rows: Floats, box: BlackBox, finishes: tuple[Finish, ...], notes: Notes
) -> Replay:
    """Return the replay that gives the function's bits on all rows; flush subnormals if need be.

    Raises
    ------
    Verdict
        If there is none.
    """
    given = box.sums(rows)
    replay = best_replay(plan, rows, given, box.fmt, finishes)
    notes.replayed(replay, rows, accumulators(box.fmt))
    if notes.only_subnormal:
        found = flushed_replay(replay, rows, given, box.fmt, finishes)
        if found is not None:
            replay, flush = found
            notes.flushed = flush.words
            notes.replayed(replay, rows, accumulators(box.fmt))
    if replay.equal.all():
        notes.found(replay.plan, replay)
        return replay
    notes.found(plan)
    notes.first_difference(rows, given, replay.sums)
    raise notes.mismatch(replay, rows)


def unrounded_products(
    replay: Replay,
    pairs: tuple[Floats, Floats],
    box: BlackBox,
    rng: np.random.Generator,
) -> Flags:
    """Return which products are added unrounded; with random factors that gives the bits.

    Raises
    ------
    Verdict
        If nothing does.
    """
    rows, factors = pairs
    given = box.sums(rows, factors)
    for unrounded in _guesses(replay, box, rng):
        sums = product_sums(replay.plan, replay.accumulator, unrounded, rows, factors, box.fmt)
        equal = same_bits(sums, given, box.fmt)
        if equal.all():
            return unrounded
    why = (
        "With factors of 1 the plan gave the function's bits on all inputs; with random factors it "
        f"did on {int(equal.sum())} of {len(rows)}: products or factors are rounded in a way that "
        "no replay here knows."
    )
    raise Verdict("not reproduced", why)


def _guesses(replay: Replay, box: BlackBox, rng: np.random.Generator) -> Iterator[Flags]:
    """Yield what the box says of each product; where it does not say, all rounded and all whole.

    Random factors alone would not do: one product in twenty shows in few of the sums.
    """
    none = np.zeros(box.n, np.bool_)
    asks = box.n > 1 and not replay.plan.aligned.any()
    found = unrounded_inputs(box, replay.plan, rng) if asks else None
    yield from [none, ~none] if found is None else [found]
