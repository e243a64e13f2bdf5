"""Diagnose whether two runs or models differ by rounding or by a different computation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.comparison import compare
from fpdrift.step_debug._compare_models import check_batch, check_maker, check_same, prepare_step
from fpdrift.step_debug._criterion import (
    Decision,
    decide,
    decide_start,
    same_batch,
    start_distances,
)
from fpdrift.step_debug._quantities import Side, read
from fpdrift.step_debug._rerun import as_record, first_step, traced_steps
from fpdrift.step_debug._results import Diagnosis, RerunCheck
from fpdrift.subprocesses import run_module
from fpdrift.training import Condition
from fpdrift.training._train import environment

if TYPE_CHECKING:
    from fpdrift.records import Record
    from fpdrift.step_debug._compare_models import Arrays
    from fpdrift.step_debug._rerun import Progress, Source, TracedSteps


def diagnose_step(
    make_a: Callable[[], Any],
    make_b: Callable[[], Any],
    batch: Sequence[Any],
    state: Arrays | None = None,
    *,
    batch_b: Sequence[Any] | None = None,
) -> Diagnosis:
    """Decide whether rounding can explain the difference between one step of two models.

    Each step is run twice from the same state; if its bits change, the verdict is "cannot tell".
    Then both steps are run with every starting value perturbed by one ulp, and in float64. A
    difference that remains in float64 is a different computation; one that shrinks as rounding does
    is rounding, however large it was. This is decided tensor by tensor: for the loss, the gradients
    of the weights, and the changes of weights, slots and moving statistics. Elements whose gradient
    is rounding noise, such as those of a bias in front of batch normalisation, are left out.

    The verdict concerns this one step. In the first step, momentum has no effect yet: pass a
    `state` from later in training to include it.

    The limitations of `compare_step` apply. Parts of a model that compute in float32 whatever
    Keras' dtype policy are converted to float64 in the graph that TensorFlow traced, unless the
    graph contains a loop (a recurrent layer). In that case, and where only one of two constants was
    rounded to float32, the verdict on a small difference is "cannot tell". See docs/rounding.md for
    the criterion and its error rates.

    Parameters
    ----------
    make_a, make_b : callable
        Functions that return a built and compiled keras.Model; each is called twice. The models
        must have the same variables under the same names.
    batch : sequence
        Inputs, labels and, optionally, sample weights, as the models take them.
    state : mapping, optional
        Values of some or all variables, as returned by `state_of`, for both models; each keeps its
        own learning rate. By default each model starts from its own state, and the states are
        compared, too.
    batch_b : sequence, optional
        Batch for B's step, if it differs from `batch`. The two are compared element by element.

    Returns
    -------
    Diagnosis

    Raises
    ------
    FpdriftError
        As in `compare_step`.

    Examples
    --------
    >>> print(diagnose_step(make, make_fused, (images, labels)))  # doctest: +SKIP
    """
    check_maker("make_a", make_a)
    check_maker("make_b", make_b)
    batches = (batch, batch if batch_b is None else batch_b)
    for one in batches:
        check_batch(one)
    from fpdrift.step_debug._float64_step import float64_step
    from fpdrift.step_debug._sensitivity import measure_float64_side, measure_side

    chosen = {n: x for n, x in (state or {}).items() if not n.endswith("learning_rate")}
    (step_a, [start_a]), (step_b, [start_b]) = (
        prepare_step(make, chosen) for make in (make_a, make_b)
    )
    check_same(step_a, step_b)
    a, b = measure_side(step_a, start_a, batches[0]), measure_side(step_b, start_b, batches[1])
    start = start_distances(a.seen, b.seen)
    decided = decide_start(a.seen, b.seen, start)
    if decided is None:
        common = (batches[0], batches[0] if same_batch(a.seen, b.seen, start) else batches[1])
        a64, b64 = (
            measure_float64_side(float64_step(make, given), start_a, given)
            for make, given in zip((make_a, make_b), common, strict=True)
        )
        decided = decide(a, b, a64, b64)
    settings = _differing(_settings(step_a.model), _settings(step_b.model))
    return _diagnosis(_with_weights(decided, batches), start, settings)


def _with_weights(decided: Decision, batches: Sequence[Sequence[Any]]) -> Decision:
    """Note which batch has sample weights, if only one does."""
    a, b = map(len, batches)
    return decided if a == b else decided._replace(weighted="B" if b > a else "A")


def diagnose_runs(
    a: Source,
    b: Source,
    *,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """Decide whether rounding can explain the first difference between two runs.

    Each run is rerun up to that step in a fresh process under its own condition, as in
    `explain_step`. A second fresh process under the same condition then repeats the step with
    one-ulp perturbations and in float64.

    Parameters
    ----------
    a, b : Record, str or os.PathLike
        Records written by `fpdrift.train`, or their files.
    timeout : float, optional
        Time limit in seconds for each of the four processes.
    progress : callable, optional
        Called with a record's name, the number of steps done and the total.

    Returns
    -------
    Diagnosis

    Raises
    ------
    FpdriftError, ChildError
        As in `explain_step`; also if the two networks do not have the same tensors.
    """
    a, b = as_record(a), as_record(b)
    chosen = first_step(compare(a, b))
    with traced_steps(a, b, [chosen], timeout, progress) as steps:
        return diagnose_traced(a, b, steps, chosen, timeout)


def diagnose_traced(
    a: Record, b: Record, steps: TracedSteps, step: int, timeout: float | None = None
) -> Diagnosis:
    """Diagnose a traced step by repeating it in two more processes."""
    seen_a, seen_b = (list(seen) for seen in steps.tensors(step))
    start = start_distances(seen_a, seen_b)
    decided = decide_start(seen_a, seen_b, start)
    if decided is None:
        common = same_batch(seen_a, seen_b, start)
        own_a, own_b = (folder / f"traced{step - 1}.npz" for folder in steps.folders)
        low_a, high_a = _sides(a, own_a, own_a, own_a, timeout)
        low_b, high_b = _sides(b, own_b, own_a, own_a if common else own_b, timeout)
        decided = decide(low_a, low_b, high_a, high_b)
    settings = _differing(_chosen(a), _chosen(b))
    return _diagnosis(decided, start, settings, step, steps.runs)


def _sides(
    record: Record, own: Path, state: Path, batch: Path, timeout: float | None
) -> tuple[Side, Side | None]:
    """Measure a step's sensitivity to rounding, and repeat it in float64, in a fresh process."""
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
    decided: Decision,
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
    """Return the settings that a run was started with."""
    meta = record.meta
    about = {"network": meta["network"], "data": meta["data"]["name"]}
    return {**about, "labels": meta["data"]["labels"], **meta["condition"]}


def _settings(model: Any) -> dict[str, Any]:
    """Return the settings of a model's optimiser and layers."""
    from fpdrift.step_debug._trace import Taps

    taps = Taps(model)
    made = {"optimizer": model.optimizer, **dict(zip(taps.names, taps.layers, strict=True))}
    found: dict[str, Any] = {}
    for name, part in made.items():
        try:
            config = part.get_config()
        except Exception:  # noqa: BLE001, S112 - a user's layer may not implement it
            continue
        found |= {f"{name} {key}": value for key, value in config.items() if key != "name"}
    return found


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, ...]:
    """Describe the settings that both have and that differ; omit the code of functions."""
    both = {key: (str(a[key]), str(b[key])) for key in a if key in b}
    return tuple(
        f"{key}: {ours}, {theirs}" if "__lambda__" not in ours + theirs else f"{key} differs"
        for key, (ours, theirs) in both.items()
        if ours != theirs
    )
