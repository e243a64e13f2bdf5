"""FPD5: models that are compared, used or resumed in a way that cannot repeat."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from fpdrift.lint._names import is_model, method_of
from fpdrift.lint._randomness import trains
from fpdrift.lint._rule import Hit, rule
from fpdrift.lint._seeds import written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fpdrift.lint._trace import Event, Trace, Value

_EQUAL = {
    "numpy.array_equal",
    "numpy.array_equiv",
    "numpy.testing.assert_array_equal",
    "numpy.testing.assert_equal",
}


def _is_output(value: Value) -> bool:
    """Return whether a value is what a model predicts or scores, untouched."""
    name = re.sub(r"(\[\]|\.numpy\(\))*$", "", value.name)
    owner, method = method_of(name)
    return method in {"predict()", "evaluate()", "predict_on_batch()"} and is_model(owner)


@rule(
    "FPD501",
    "exact-comparison",
    "{found} compares floating-point results exactly",
    reason="A different batch size, thread count, machine or version rounds differently; two "
    "results that are equal on paper then compare "
    "unequal.",
    remedy="Compare with a tolerance: numpy.allclose, math.isclose.",
    lesson="01_order.ipynb",
)
def exact_comparison(trace: Trace) -> Iterator[Hit]:
    for event in trace.calls(*_EQUAL):
        if len(event.args) >= 2 and all(map(_is_output, event.args[:2])):
            yield Hit(event.node, written(event.node))
    for event in trace.of(ast.Compare):
        node = event.node
        assert isinstance(node, ast.Compare)  # noqa: S101 - for the type checker
        if isinstance(node.ops[0], ast.Eq | ast.NotEq) and len(event.args) == 2:
            left, right = event.args
            number = {type(left.constant()), type(right.constant())} & {float}
            whole = {0.0, 1.0} & {left.constant(), right.constant()}
            both = _is_output(left) and _is_output(right)
            one = (_is_output(left) or _is_output(right)) and number and not whole
            if both or one:
                yield Hit(node, written(node))


@rule(
    "FPD502",
    "training-mode-prediction",
    "{found} with training=True predicts with dropout and batch statistics",
    reason="In training mode dropout drops different units in every call, and batch normalisation "
    "uses the statistics of the current batch.",
    remedy="Leave out training=True, or call model.predict.",
    lesson="08_cnn.ipynb",
)
def training_mode_prediction(trace: Trace) -> Iterator[Hit]:
    for event in trace.calls():
        if is_model(event.name) and event.says("training", True):
            repeated = any(
                isinstance(a, ast.For | ast.While | ast.comprehension | ast.ListComp)
                for a in event.around
            )
            taped = any("tensorflow.GradientTape()" in trace.withs.get(a, ()) for a in event.around)
            owned = any(getattr(a, "name", "") in {"train_step", "call"} for a in event.around)
            if event.reached and not (repeated or taped or owned):
                yield Hit(event.node, written(event.node))


@rule(
    "FPD503",
    "optimizer-state-lost",
    "{found} resumes training without the state of the optimiser",
    reason="The file has no optimiser state. Adam's moments and the step count start from zero, "
    "so the resumed run differs from an uninterrupted one.",
    remedy="Save the whole model with model.save('model.keras'), or use keras.callbacks."
    "BackupAndRestore.",
    lesson="09_growth.ipynb",
)
def optimizer_state_lost(trace: Trace) -> Iterator[Hit]:
    saved: dict[str, Event] = {}
    loaded: Event | None = None
    for event in trace.calls():
        owner, method = method_of(event.name)
        path = event.argument(0, "filepath")
        place = "" if path is None or path.node is None else ast.unparse(path.node)
        if method == "save" and is_model(owner) and event.says("include_optimizer", False):
            saved[place] = event
        elif event.name in {"keras.models.load_model", "keras.saving.load_model"}:
            loaded = event if place and place in saved else loaded
        elif loaded is not None and event.reached and trains(event):
            yield Hit(loaded.node, written(loaded.node))
            return
