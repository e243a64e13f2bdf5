"""Rounding or a different computation: what a difference between two runs is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.comparison import compare
from fpdrift.step_debug._compare_models import check_batch, check_maker, check_same, started
from fpdrift.step_debug._criterion import (
    Decided,
    decide,
    same_batch,
    start_decided,
    start_distances,
)
from fpdrift.step_debug._quantities import Side, read
from fpdrift.step_debug._rerun import apart, first_step, opened
from fpdrift.step_debug._results import Diagnosis, RerunCheck
from fpdrift.subprocesses import run_module
from fpdrift.training import Condition
from fpdrift.training._train import environment

if TYPE_CHECKING:
    from fpdrift.records import Record
    from fpdrift.step_debug._compare_models import Arrays
    from fpdrift.step_debug._rerun import Apart, Progress, Source


def diagnose_step(
    make_a: Callable[[], Any],
    make_b: Callable[[], Any],
    batch: Sequence[Any],
    state: Arrays | None = None,
    *,
    batch_b: Sequence[Any] | None = None,
) -> Diagnosis:
    """Decide whether rounding can explain where one training step of two models differs.

    Each step is done twice from one state; where its bits change, nothing is judged. Then both are
    done with every number that they start from moved by one ulp, and in float64. A difference that
    remains in float64 is a different computation; one that shrinks as rounding does is rounding,
    however large it was. That is decided tensor by tensor: of the loss, the gradients of the
    weights, and what the step adds to weights, slots and moving statistics. Elements whose gradient
    rounding alone can bring to zero, such as of a bias in front of batch normalisation, are left
    out. The verdict is about this one step: in the first one a momentum has no effect yet; give a
    `state` from later on.

    What it cannot do is what `compare_step` cannot. What computes in float32 whatever Keras' dtype
    policy says is widened where TensorFlow traced it, but not beside a loop (a recurrent layer);
    then a small difference gets no better than "cannot tell", and so it does between two constants
    of which one was rounded to float32. docs/rounding.md has the rule and how often it errs.

    Parameters
    ----------
    make_a, make_b : callable
        Give a built and compiled keras.Model each, with the same variables under the same names;
        called twice.
    batch : sequence
        Inputs, labels and, if there are any, sample weights, as the models take them.
    state : mapping, optional
        Values of some or all variables, as `state_of` gives them, for both; each model keeps its
        own learning rate. By default each starts from its own state, and that is compared, too.
    batch_b : sequence, optional
        What B's step is done with, if not `batch`. The two are compared number by number.

    Returns
    -------
    Diagnosis

    Raises
    ------
    FpdriftError
        As `compare_step`.

    Examples
    --------
    >>> print(diagnose_step(make, make_fused, (images, labels)))  # doctest: +SKIP
    """
    check_maker("make_a", make_a)
    check_maker("make_b", make_b)
    batches = (batch, batch if batch_b is None else batch_b)
    for one in batches:
        check_batch(one)
    from fpdrift.step_debug._float64_step import wide_step
    from fpdrift.step_debug._sensitivity import side, side64

    chosen = {n: x for n, x in (state or {}).items() if not n.endswith("learning_rate")}
    (step_a, [start_a]), (step_b, [start_b]) = (started(make, chosen) for make in (make_a, make_b))
    check_same(step_a, step_b)
    a, b = side(step_a, start_a, batches[0]), side(step_b, start_b, batches[1])
    start = start_distances(a.seen, b.seen)
    decided = start_decided(a.seen, b.seen, start)
    if decided is None:
        common = (batches[0], batches[0] if same_batch(a.seen, b.seen, start) else batches[1])
        a64, b64 = (
            side64(wide_step(make, given), start_a, given)
            for make, given in zip((make_a, make_b), common, strict=True)
        )
        decided = decide(a, b, a64, b64)
    settings = _differing(_settings(step_a.model), _settings(step_b.model))
    return _diagnosis(_with_weights(decided, batches), start, settings)


def _with_weights(decided: Decided, batches: Sequence[Sequence[Any]]) -> Decided:
    """Name sample weights that one batch alone has."""
    a, b = map(len, batches)
    return decided if a == b else decided._replace(weighted="B" if b > a else "A")


def diagnose_runs(
    a: Source,
    b: Source,
    *,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """Decide whether rounding can explain where two runs first differ.

    Each run is repeated up to that step in a fresh process under its own condition, as
    `explain_step` does; then the step is done again under one-ulp nudges and in float64, in another
    fresh process under that condition.

    Parameters
    ----------
    a, b : Record, str or os.PathLike
        Records of `fpdrift.train`, or their files.
    timeout : float, optional
        Seconds that each of the four processes may take.
    progress : callable, optional
        Called with a record's name, the number of steps done and to do.

    Returns
    -------
    Diagnosis

    Raises
    ------
    FpdriftError, ChildError
        As `explain_step`; also if the two networks do not have the same tensors.
    """
    a, b = opened(a), opened(b)
    chosen = first_step(compare(a, b))
    with apart(a, b, [chosen], timeout, progress) as steps:
        return diagnose_traced(a, b, steps, chosen, timeout)


def diagnose_traced(
    a: Record, b: Record, steps: Apart, step: int, timeout: float | None = None
) -> Diagnosis:
    """Diagnose a traced step; the step is repeated in two more processes."""
    seen_a, seen_b = (list(seen) for seen in steps.seen(step))
    start = start_distances(seen_a, seen_b)
    decided = start_decided(seen_a, seen_b, start)
    if decided is None:
        common = same_batch(seen_a, seen_b, start)
        own_a, own_b = (folder / f"apart{step - 1}.npz" for folder in steps.folders)
        low_a, high_a = _sides(a, own_a, own_a, own_a, timeout)
        low_b, high_b = _sides(b, own_b, own_a, own_a if common else own_b, timeout)
        decided = decide(low_a, low_b, high_a, high_b)
    settings = _differing(_chosen(a), _chosen(b))
    return _diagnosis(decided, start, settings, step, steps.runs)


def _sides(
    record: Record, own: Path, state: Path, batch: Path, timeout: float | None
) -> tuple[Side, Side | None]:
    """Measure in a fresh process what rounding does to a step of a run, and do it in float64."""
    condition = Condition.from_dict(record.meta["condition"])
    files = {name: str(own.with_name(f"{name}.npz")) for name in ("low", "high")}
    task = {
        "condition": condition.to_dict(),
        "network": record.meta["network"],
        "own": str(own),
        "state": str(state),
        "batch": str(batch),
        **files,
    }
    env = environment(condition, record.meta["data"]["name"], record.meta["backend"])
    answer = run_module("fpdrift.step_debug._sensitivity_worker", task, env=env, timeout=timeout)
    low, high = (Path(files[name]) for name in ("low", "high"))
    return read(low), read(high) if answer["wide"] else None


def _diagnosis(
    decided: Decided,
    start: dict[str, float],
    settings: tuple[str, ...],
    step: int | None = None,
    runs: tuple[RerunCheck | None, RerunCheck | None] = (None, None),
) -> Diagnosis:
    return Diagnosis(
        **decided._asdict(),
        step=step,
        start=start,
        settings=settings,
        run_a=runs[0],
        run_b=runs[1],
    )


def _chosen(record: Record) -> dict[str, Any]:
    """Read what a run was started with."""
    meta = record.meta
    about = {"network": meta["network"], "data": meta["data"]["name"]}
    return {**about, "labels": meta["data"]["labels"], **meta["condition"]}


def _settings(model: Any) -> dict[str, Any]:
    """Read what a model's optimiser and layers were made with."""
    from fpdrift.step_debug._trace import Taps

    taps = Taps(model)
    made = {"optimizer": model.optimizer, **dict(zip(taps.names, taps.layers, strict=True))}
    found: dict[str, Any] = {}
    for name, part in made.items():
        try:
            config = part.get_config()
        except Exception:  # noqa: BLE001, S112 - a stranger's layer may have none
            continue
        found |= {f"{name} {key}": value for key, value in config.items() if key != "name"}
    return found


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the settings that both have and that differ; not the code of a function."""
    both = {key: (str(a[key]), str(b[key])) for key in a if key in b}
    return tuple(
        f"{key}: {ours}, {theirs}" if "__lambda__" not in ours + theirs else f"{key} differs"
        for key, (ours, theirs) in both.items()
        if ours != theirs
    )
