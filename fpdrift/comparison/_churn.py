"""Churn: how many answers change, whatever the weights do.

Only what a model is trained to tell apart has classes. Which those are follows from the loss; where
that is not known, nothing is counted and the reason is kept.

What a model was trained for, as far as its record says: classes, labels, or numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fpdrift.comparison._intervals import Interval, no_interval, share_interval
from fpdrift.serialization import Result

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.records import Record

#: How the class of a prediction is told.
Rule = Literal["largest", "above 0.5", "above 0"]

#: Keras' losses by their names in lower case, without underscores. What they are for:
_OF_CLASSES = {
    *("categoricalcrossentropy", "sparsecategoricalcrossentropy", "categoricalhinge"),
    *("categoricalfocalcrossentropy", "categoricalgeneralizedcrossentropy"),
}
_OF_LABELS = {"binarycrossentropy", "binaryfocalcrossentropy", "bce"}
_OF_SIGNS = {"hinge", "squaredhinge"}
_OF_NUMBERS = {
    *("meansquarederror", "mse", "meanabsoluteerror", "mae", "meanabsolutepercentageerror"),
    *("mape", "meansquaredlogarithmicerror", "msle", "huber", "logcosh", "poisson"),
    *("cosinesimilarity",),
}


def rule_of(
    record: Record, predictions: npt.NDArray[Any]
) -> Rule | Literal["regression", "unknown loss"]:
    """Describe how the class of a prediction is told, or why it has none.

    A record that says nothing of its loss, which no recorder of ours writes, is taken for one of
    classes where its predictions look like it.

    Parameters
    ----------
    record : Record
    predictions : (samples, ...) array
        Of that record.
    """
    columns = predictions.shape[-1] if predictions.ndim > 1 else 1
    loss, from_logits = _loss(record)
    if loss in _OF_NUMBERS:
        return "regression"
    if loss in _OF_SIGNS:
        return "above 0"
    if loss in _OF_LABELS:
        return _border(from_logits, predictions)
    if loss in _OF_CLASSES and columns > 1:
        return "largest"
    activation = _activation(record)
    if activation == "softmax" and columns > 1:
        return "largest"
    if activation == "sigmoid":
        return "above 0.5"
    if loss is None and not isinstance(record.meta.get("keras"), dict):
        if columns > 1:
            return "largest"
        return "above 0.5" if _are_probabilities(predictions) else "unknown loss"
    return "unknown loss"


def _border(
    from_logits: bool | None, predictions: npt.NDArray[Any]
) -> Rule | Literal["unknown loss"]:
    """Tell logits, whose sign is the class, from probabilities."""
    if from_logits is None:  # an old record does not say
        return "above 0.5" if _are_probabilities(predictions) else "above 0"
    return "above 0" if from_logits else "above 0.5"


def _are_probabilities(predictions: npt.NDArray[Any]) -> bool:
    values = predictions.astype(np.float64)
    values = values[~np.isnan(values)]
    return bool(((values >= 0) & (values <= 1)).all())


def _loss(record: Record) -> tuple[str | None, bool | None]:
    """Return the loss' plain name, and whether it takes logits; None where that is not recorded."""
    keras = record.meta.get("keras")
    keras = keras if isinstance(keras, dict) else {}
    config = _only(keras.get("loss_config"))
    if isinstance(config, dict) and isinstance(config.get("class_name"), str):
        logits = config.get("from_logits")
        return _plain(config["class_name"]), logits if isinstance(logits, bool) else None
    loss = _only(keras.get("loss", record.meta.get("loss")))
    if not isinstance(loss, str):
        return None, None
    # a class may take logits; a function or a name, which are written in lower case, does not
    return _plain(loss), False if loss.islower() else None


def _only(value: Any) -> Any:
    """Return what a list of one holds, such as the losses of a model's one output."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _activation(record: Record) -> str | None:
    """Return the activation of the model's first output, where the record has it."""
    keras = record.meta.get("keras")
    output = keras.get("output") if isinstance(keras, dict) else None
    found = output.get("activation") if isinstance(output, dict) else None
    return found if isinstance(found, str) else None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


#: Why no classes were compared.
Reason = Literal[
    "no probe", "no common step", "another probe", "another shape", "regression", "unknown loss"
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Churn(Result):
    """How the predictions of two runs compare, on the probe that both were given."""

    #: last step at which both predicted; None if there is none
    step: int | None
    #: how a prediction's class was told; None where classes were not compared
    rule: Rule | None
    #: why they were not; None where they were
    reason: Reason | None
    #: whether both were given the same samples; None where a record does not tell
    same_probe: bool | None
    #: predictions with a class, and how many of those changed
    predictions: int
    changed: int
    #: of the probe: a sample has several predictions where each of its columns or places is one
    samples: int
    #: ||p_a - p_b|| / ||p_a|| over all numbers predicted, in float64; NaN where it is not known
    distance: float

    @property
    def share(self) -> float | None:
        """Fraction of the predictions whose class changed; None where none were compared."""
        return self.changed / self.predictions if self.predictions else None

    @property
    def interval(self) -> Interval:
        """95 % interval of `share` for samples like those of the probe, or why there is none."""
        if self.share is None:
            return no_interval("no classes were compared")
        if self.samples != self.predictions:
            return no_interval("a sample's several predictions are not independent")
        return share_interval(self.changed, self.predictions)

    def __repr__(self) -> str:
        if self.share is None:
            return f"Churn(none: {self.reason})"
        return f"Churn({self.changed} of {self.predictions} at step {self.step})"


def churn(a: Record, b: Record) -> Churn:
    """Count the probe's predictions whose class differs, at the last step that both predicted.

    Parameters
    ----------
    a, b : Record

    Returns
    -------
    Churn
    """
    step = max(a.predictions.keys() & b.predictions.keys(), default=None)
    same = _same_probe(a, b)
    if step is None:
        both = bool(a.predictions) and bool(b.predictions)
        return _none("no common step" if both else "no probe", None, same)
    ours, others = a.predictions[step], b.predictions[step]
    if same is False:
        return _none("another probe", step, same)
    if ours.shape != others.shape or not ours.size:
        return _none("another shape", step, same)
    distance = _distance(ours, others)
    rules = {rule_of(record, record.predictions[step]) for record in (a, b)}
    rule = next(iter(rules))
    if len(rules) > 1 or rule in ("regression", "unknown loss"):
        return _none(rule if len(rules) == 1 else "unknown loss", step, same, distance)  # type: ignore[arg-type]  # the two reasons
    changed = classes(ours, rule) != classes(others, rule)  # type: ignore[arg-type]  # a rule
    return Churn(
        step=step,
        rule=rule,  # type: ignore[arg-type]  # a rule
        reason=None,
        same_probe=same,
        predictions=changed.size,
        changed=int(changed.sum()),
        samples=len(changed),
        distance=distance,
    )


def classes(predictions: npt.NDArray[Any], rule: Rule | None = None) -> npt.NDArray[np.int64]:
    """Tell the class of each prediction.

    Parameters
    ----------
    predictions : (samples, ...) array
    rule : str, optional
        "largest": the largest column; "above 0.5", "above 0": whether a number exceeds that, for
        each column by itself. By default the largest of several columns, else "above 0.5".

    Returns
    -------
    (samples, ...) int64
        A prediction that holds a NaN has no class; it counts as class -1.
    """
    values = predictions.astype(np.float64)
    if values.ndim == 1:
        values = values[:, np.newaxis]
    one = values.shape[-1] == 1
    if rule is None:
        rule = "above 0.5" if one else "largest"
    if rule == "largest":
        found = np.where(np.isnan(values).any(axis=-1), -1, np.argmax(values, axis=-1))
    else:
        border = 0.5 if rule == "above 0.5" else 0.0
        found = np.where(np.isnan(values), -1, values > border)
        found = found[..., 0] if one else found
    return found.astype(np.int64)


def _none(
    reason: Reason, step: int | None, same: bool | None, distance: float = float("nan")
) -> Churn:
    return Churn(
        step=step,
        rule=None,
        reason=reason,
        same_probe=same,
        predictions=0,
        changed=0,
        samples=0,
        distance=distance,
    )


def _same_probe(a: Record, b: Record) -> bool | None:
    """Return whether two runs predicted the same samples."""
    digests = [_digest(record) for record in (a, b)]
    return None if None in digests else digests[0] == digests[1]


def _digest(record: Record) -> Any:
    """Give the digest of the samples that a run predicted, as its recorder or `train` wrote it."""
    for place, name in ((record.meta.get("recorder"), "digest"), (record.meta, "hash")):
        probe = place.get("probe") if isinstance(place, dict) else None
        if isinstance(probe, dict) and probe.get(name) is not None:
            return probe[name]
    return None


def _distance(ours: npt.NDArray[Any], others: npt.NDArray[Any]) -> float:
    a, b = ours.astype(np.float64), others.astype(np.float64)
    with np.errstate(all="ignore"):  # predictions of a run that blew up
        apart, norm = np.linalg.norm(a - b), np.linalg.norm(a)
        return 0.0 if apart == 0 else float(apart / norm)
