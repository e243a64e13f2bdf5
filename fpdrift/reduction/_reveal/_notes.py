"""Collect the evidence for a verdict on a function, and put the verdict into words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.backends.devices import LINE
from fpdrift.floats import Format, same_bits
from fpdrift.reduction._plan import Plan
from fpdrift.reduction._reveal._probing import ProbedFunction
from fpdrift.reduction._reveal._replay import Replay
from fpdrift.reduction._reveal._results import Evidence, Revealed
from fpdrift.reduction._rounding import Floats
from fpdrift.reduction.columnwise import kahan, neumaier
from fpdrift.serialization import read_only

#: Probability that errors at the stated rate would have been missed.
_MISSED = 0.05
#: Up to this many inputs, compensated sums are hard to distinguish from plain ones.
_SMALL = 4


class Verdict(Exception):  # noqa: N818 - not an error: it ends the probing
    """A verdict and its reason."""

    def __init__(self, verdict: str, why: str) -> None:
        super().__init__(verdict, why)
        self.verdict = verdict
        self.why = why


class Notes:
    """The evidence collected so far."""

    def __init__(self, function: ProbedFunction) -> None:
        self.function = function
        self.probes = self.repeats = self.permutations = self.fresh = 0
        self.unrepeatable = False
        #: what the function computes, if not what the caller said
        self.recognised = ""
        #: byte offsets of the numbers that were tried, and those at which the bits differ
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
        self._accumulators: tuple[str, ...] = ()
        self._power = "No plan was replayed."
        self._example: tuple[Any, Any, Any] = (None, None, None)

    def example(self, row: Floats, observed: Any, expected: Any) -> None:
        """Store the input that decided."""
        self._example = (read_only(row), observed, expected)

    def first_difference(self, rows: Floats, observed: Floats, expected: Floats) -> None:
        """Store the first input whose sum is not the expected one; `expected` may be shorter."""
        equal = same_bits(observed[: len(expected)], expected)
        bad = int(np.argmin(equal))
        self.example(rows[bad], observed[bad], expected[bad])

    def set_plan(self, plan: Plan | None, replay: Replay | None = None) -> None:
        """Store the plan found, and the replay that is bit-identical to the function."""
        self._plan, self._replay = plan, replay

    def set_replay(self, replay: Replay, rows: Floats, tried: tuple[Format, ...]) -> None:
        """Store on how many inputs a replay agreed, and how well they distinguish plans."""
        self._rows, self._agreed = len(rows), replay.agreed
        self._accumulators = tuple(fmt.name for fmt in tried)
        subnormal = _subnormal(rows, replay, self.function.fmt)
        self.only_subnormal = bool((replay.equal | subnormal).all() and not replay.equal.all())
        self._power = self._describe_power(replay, rows)

    def set_algorithms(self, algorithms: tuple[str, ...], rows: int) -> None:
        """Store the algorithms that are bit-identical to the function, in place of a tree."""
        self.algorithms = algorithms
        self.set_plan(None)
        self._rows = self._agreed = rows
        self._example = (None, None, None)

    def mismatch_verdict(self, replay: Replay, rows: Floats) -> Verdict:
        """Return the verdict on a replay that is not bit-identical to the function."""
        if self.only_subnormal:
            missed = len(rows) - replay.agreed
            why = (
                f"The plan reproduces the function's bits on all inputs except {missed} with "
                "subnormal numbers, and flushing these to zero does not reproduce them either."
            )
        else:
            why = (
                f"A tree fits the probes, but its replay in {' or '.join(self._accumulators)} "
                f"matches the function's bits on at most {replay.agreed} of {len(rows)} inputs: "
                "compensated or fused additions, or another precision."
            )
        return Verdict("not reproduced", why)

    def confirmed_verdict(self, rows: int) -> Verdict:
        """Return the verdict on a bit-identical replay, and the conditions for which it holds."""
        why = [f"The plan reproduces the function's bits on all {rows} inputs."]
        if self.flushed:
            why.append(f"Subnormal numbers are flushed to zero: {', '.join(self.flushed)}.")
            why.append("The signs of such zeros were not compared.")
        if self.differ:
            return Verdict("confirmed at one alignment", " ".join(why))
        return Verdict(f"confirmed{', subnormals flushed' * bool(self.flushed)}", " ".join(why))

    def result(self, verdict: Verdict) -> Revealed:
        """Return the result of a verdict, with everything collected as its evidence."""
        row, observed, expected = self._example
        evidence = Evidence(
            why=" ".join([verdict.why, *self._remarks()]),
            repeats=self.repeats,
            missed_rate=self._missed_rate(),
            permutations=self.permutations,
            fresh=self.fresh,
            replayed=self._rows,
            agreed=self._agreed,
            accumulators=self._accumulators,
            flushes_subnormals=bool(self.flushed),
            flushed=self.flushed,
            offsets=self.offsets,
            offsets_that_differ=self.differ,
            power=self._power,
            counterexample=row,
            observed=observed,
            expected=expected,
        )
        return Revealed(
            name=self.function.name,
            n=self.function.n,
            dtype=self.function.fmt.name,
            verdict=verdict.verdict,
            plan=self._plan,
            accumulator=self._wider_accumulator(),
            probes=self.probes,
            calls=self.function.calls,
            evidence=evidence,
            finish=self._replay.finish.words if self._replay else None,
            algorithms=self.algorithms,
            unrounded=None if self.unrounded is None else read_only(self.unrounded),
        )

    def _wider_accumulator(self) -> str | None:
        acc = self._replay.accumulator if self._replay else self.function.fmt
        return None if acc is self.function.fmt else acc.name

    def _remarks(self) -> Iterator[str]:
        """Yield sentences that are added to any verdict."""
        if self.recognised:
            yield f"It is {self.recognised}."
        if self.differ:
            yield (
                f"This holds at addresses that are multiples of {LINE}: of {len(self.offsets)} "
                f"other offsets in memory, {len(self.differ)} give different bits."
            )

    def _missed_rate(self) -> float | None:
        """Return the rate that solves (1 - rate)**repeats = 5 %."""
        if self.unrepeatable or not self.repeats:
            return None
        return float(1 - _MISSED ** (1 / self.repeats))

    def _describe_power(self, replay: Replay, rows: Floats) -> str:
        """Describe how well the inputs distinguish compensated sums, with counts if n is small."""
        n = self.function.n
        if n == 1:
            return "One number needs no addition."
        if n > _SMALL:
            return f"{len(rows)} inputs of different kinds."
        columns = rows[: len(replay.sums)].T
        with np.errstate(all="ignore"):
            counts = [int((add(columns) != replay.sums).sum()) for add in (kahan, neumaier)]
        return (
            f"Hard to distinguish at n = {n}: of {len(rows)} inputs, Kahan's compensated sum "
            f"differs from the plan's on {counts[0]}, Neumaier's on {counts[1]}."
        )


def _subnormal(rows: Floats, replay: Replay, fmt: Format) -> Any:
    """Return which rows contain a subnormal number or have a subnormal sum, (rows,)."""
    least = fmt.dtype.type(2.0**fmt.emin)
    sums = np.zeros(len(rows), rows.dtype)
    sums[: len(replay.sums)] = replay.sums
    numbers = np.abs(np.concatenate([rows, sums[:, None]], axis=1))
    return ((numbers > 0) & (numbers < least)).any(axis=1)
