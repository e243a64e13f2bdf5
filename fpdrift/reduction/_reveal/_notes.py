"""What was seen on the way to a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.backends.devices import LINE
from fpdrift.floats import Format, same_bits
from fpdrift.reduction._plan import Plan
from fpdrift.reduction._reveal._probing import BlackBox
from fpdrift.reduction._reveal._replay import Replay
from fpdrift.reduction._reveal._results import Evidence, Revealed
from fpdrift.reduction._rounding import Floats
from fpdrift.reduction.columnwise import kahan, neumaier
from fpdrift.serialization import read_only

#: Chance with which the rate that is stated would have been missed.
_MISSED = 0.05
#: Up to so many inputs, compensated sums are hard to tell from plain ones.
_SMALL = 4


class Verdict(Exception):  # noqa: N818 - no error: it ends the questions
    """A verdict, and why."""

    def __init__(self, verdict: str, why: str) -> None:
        super().__init__(verdict, why)
        self.verdict = verdict
        self.why = why


class Notes:
    """Collects what the evidence needs."""

    def __init__(self, box: BlackBox) -> None:
        self.box = box
        self.probes = self.repeats = self.permutations = self.fresh = 0
        self.astray = False
        #: what it computes, where that is not what was asked for
        self.recognised = ""
        #: byte offsets of the numbers that were tried, and those that change the bits
        self.offsets: tuple[int, ...] = ()
        self.differ: tuple[int, ...] = ()
        self.flushed: tuple[str, ...] = ()
        self.algorithms: tuple[str, ...] = ()
        self.unrounded: npt.NDArray[np.bool_] | None = None
        #: whether the replay differs from the function on inputs with subnormal numbers only
        self.only_subnormal = False
        self._plan: Plan | None = None
        self._replay: Replay | None = None
        self._rows = self._agreed = 0
        self._tried: tuple[str, ...] = ()
        self._power = "No plan was replayed."
        self._example: tuple[Any, Any, Any] = (None, None, None)

    def example(self, row: Floats, given: Any, expected: Any) -> None:
        """Keep an input that decided."""
        self._example = (read_only(row), given, expected)

    def first_difference(self, rows: Floats, given: Floats, expected: Floats) -> None:
        """Keep the first input whose sum is not the expected one; of the first few at least."""
        equal = same_bits(given[: len(expected)], expected)
        bad = int(np.argmin(equal))
        self.example(rows[bad], given[bad], expected[bad])

    def found(self, plan: Plan | None, replay: Replay | None = None) -> None:
        """Keep the plan that was found, and the replay that gave the function's bits."""
        self._plan, self._replay = plan, replay

    def replayed(self, replay: Replay, rows: Floats, tried: tuple[Format, ...]) -> None:
        """Keep how many inputs a replay agreed on, and how well these tell plans apart."""
        self._rows, self._agreed = len(rows), replay.agreed
        self._tried = tuple(fmt.name for fmt in tried)
        subnormal = _subnormal(rows, replay, self.box.fmt)
        self.only_subnormal = bool((replay.equal | subnormal).all() and not replay.equal.all())
        self._power = self._told_apart(replay, rows)

    def named(self, algorithms: tuple[str, ...], rows: int) -> None:
        """Keep which algorithms gave all bits: then no tree stands for them."""
        self.algorithms = algorithms
        self.found(None)
        self._rows = self._agreed = rows
        self._example = (None, None, None)

    def mismatch(self, replay: Replay, rows: Floats) -> Verdict:
        """Return the verdict on a replay that does not have all of the function's bits."""
        if self.only_subnormal:
            missed = len(rows) - replay.agreed
            why = (
                f"The plan gave the function's bits on all inputs but {missed} with subnormal "
                "numbers, and no way of flushing these to zero gave its bits."
            )
        else:
            why = (
                f"A tree fits the probes, but added in {' or '.join(self._tried)} it gave the "
                f"function's bits on {replay.agreed} of {len(rows)} inputs at most: compensated or "
                "fused additions, or another precision."
            )
        return Verdict("not reproduced", why)

    def confirmed(self, rows: int) -> Verdict:
        """Return the verdict on a replay that has them, and what it holds for."""
        why = [f"The plan gave the function's bits on all {rows} inputs."]
        if self.flushed:
            why.append(f"It treats subnormal numbers as zeros: {', '.join(self.flushed)}.")
            why.append("The signs of such zeros were not compared.")
        if self.differ:
            return Verdict("confirmed at one alignment", " ".join(why))
        return Verdict(f"confirmed{', subnormals flushed' * bool(self.flushed)}", " ".join(why))

    def revealed(self, verdict: Verdict) -> Revealed:
        """Return the result, with all that was collected as its evidence."""
        row, given, expected = self._example
        evidence = Evidence(
            why=" ".join([verdict.why, *self._besides()]),
            repeats=self.repeats,
            missed_rate=self._missed_rate(),
            permutations=self.permutations,
            fresh=self.fresh,
            replayed=self._rows,
            agreed=self._agreed,
            accumulators=self._tried,
            flushes_subnormals=bool(self.flushed),
            flushed=self.flushed,
            offsets=self.offsets,
            offsets_that_differ=self.differ,
            power=self._power,
            counterexample=row,
            observed=given,
            expected=expected,
        )
        return Revealed(
            name=self.box.name,
            n=self.box.n,
            dtype=self.box.fmt.name,
            verdict=verdict.verdict,
            plan=self._plan,
            accumulator=self._accumulator(),
            probes=self.probes,
            calls=self.box.calls,
            evidence=evidence,
            finish=self._replay.finish.words if self._replay else None,
            algorithms=self.algorithms,
            unrounded=None if self.unrounded is None else read_only(self.unrounded),
        )

    def _accumulator(self) -> str | None:
        acc = self._replay.accumulator if self._replay else self.box.fmt
        return None if acc is self.box.fmt else acc.name

    def _besides(self) -> Iterator[str]:
        """Yield sentences that hold beside any verdict."""
        if self.recognised:
            yield f"It is {self.recognised}."
        if self.differ:
            yield (
                f"All of this is at addresses that are multiples of {LINE}: of {len(self.offsets)} "
                f"other places in memory, {len(self.differ)} give different bits."
            )

    def _missed_rate(self) -> float | None:
        """Solve (1 - rate)**repeats = 5 % for the rate."""
        if self.astray or not self.repeats:
            return None
        return float(1 - _MISSED ** (1 / self.repeats))

    def _told_apart(self, replay: Replay, rows: Floats) -> str:
        """Describe how well the inputs tell compensated sums apart; counted where n is small."""
        n = self.box.n
        if n == 1:
            return "One number needs no addition."
        if n > _SMALL:
            return f"{len(rows)} inputs of many kinds."
        columns = rows[: len(replay.sums)].T
        with np.errstate(all="ignore"):
            counts = [int((add(columns) != replay.sums).sum()) for add in (kahan, neumaier)]
        return (
            f"Hard to tell at n = {n}: of {len(rows)} inputs, Kahan's compensated sum differs "
            f"from the plan's on {counts[0]}, Neumaier's on {counts[1]}."
        )


def _subnormal(rows: Floats, replay: Replay, fmt: Format) -> Any:
    """Return which rows hold subnormal numbers or have such a sum, (rows,)."""
    least = fmt.dtype.type(2.0**fmt.emin)
    sums = np.zeros(len(rows), rows.dtype)
    sums[: len(replay.sums)] = replay.sums
    numbers = np.abs(np.concatenate([rows, sums[:, None]], axis=1))
    return ((numbers > 0) & (numbers < least)).any(axis=1)
