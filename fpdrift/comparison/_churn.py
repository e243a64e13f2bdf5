"""Churn: the share of predictions whose class changes between two runs.

How a prediction is assigned to a class follows from the loss. If the loss is unknown or the model
predicts numbers, no classes are counted and the reason is kept.
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

#: How a prediction is assigned to a class.
Rule = Literal["largest", "above 0.5", "above 0"]

#: Keras losses by purpose; names in lower case, without underscores.
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
    """Return how predictions are assigned to classes, or why they have none.

    If a record does not name its loss, which no fpdrift recorder produces, the rule is guessed from
    the predictions.

    Parameters
    ----------
    record : Record
    predictions : (samples, ...) array
        Predictions of the record's model.
    """
    columns = predictions.shape[-1] if predictions.ndim > 1 else 1
    loss, from_logits = _loss(record)
    if loss in _OF_NUMBERS:
        return "regression"
    if loss in _OF_SIGNS:
        return "above 0"
    if loss in _OF_LABELS:
        return _binary_rule(from_logits, predictions)
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


def _binary_rule(
    from_logits: bool | None, predictions: npt.NDArray[Any]
) -> Rule | Literal["unknown loss"]:
    """Return the rule for one label: the sign of a logit, or a probability above 0.5."""
    if from_logits is None:  # not stored in old records
        return "above 0.5" if _are_probabilities(predictions) else "above 0"
    return "above 0" if from_logits else "above 0.5"


def _are_probabilities(predictions: npt.NDArray[Any]) -> bool:
    values = predictions.astype(np.float64)
    values = values[~np.isnan(values)]
    return bool(((values >= 0) & (values <= 1)).all())


def _loss(record: Record) -> tuple[str | None, bool | None]:
    """Return the normalized name of the loss, and whether it takes logits; None if unknown."""
    keras = record.meta.get("keras")
    keras = keras if isinstance(keras, dict) else {}
    config = _unwrap_single(keras.get("loss_config"))
    if isinstance(config, dict) and isinstance(config.get("class_name"), str):
        logits = config.get("from_logits")
        return _normalize_name(config["class_name"]), logits if isinstance(logits, bool) else None
    loss = _unwrap_single(keras.get("loss", record.meta.get("loss")))
    if not isinstance(loss, str):
        return None, None
    # a loss class may take logits; a function or a name, both in lower case, does not
    return _normalize_name(loss), False if loss.islower() else None


def _unwrap_single(value: Any) -> Any:
    """Return the item of a one-element list, such as the losses of a model with one output."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _activation(record: Record) -> str | None:
    """Return the activation of the model's first output; None if it is not recorded."""
    keras = record.meta.get("keras")
    output = keras.get("output") if isinstance(keras, dict) else None
    found = output.get("activation") if isinstance(output, dict) else None
    return found if isinstance(found, str) else None


def _normalize_name(name: str) -> str:
    return name.replace("_", "").lower()


#: Why no classes were compared.
Reason = Literal[
    "no probe", "no common step", "another probe", "another shape", "regression", "unknown loss"
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Churn(Result):
    """Comparison of two runs' predictions on the probe, a fixed set of samples."""

    #: last step at which both predicted; None if there is none
    step: int | None
    #: how predictions were assigned to classes; None if classes were not compared
    rule: Rule | None
    #: why classes were not compared; None if they were
    reason: Reason | None
    #: whether both predicted the same samples; None if that is not recorded
    same_probe: bool | None
    #: number of predictions with a class, and how many of them changed
    predictions: int
    changed: int
    #: number of samples in the probe; a sample with several columns or positions has several
    #: predictions
    samples: int
    #: ||p_a - p_b|| / ||p_a|| over all predicted numbers, in float64; NaN if unknown
    distance: float

    @property
    def share(self) -> float | None:
        """Fraction of the predictions whose class changed; None if no classes were compared."""
        return self.changed / self.predictions if self.predictions else None

    @property
    def interval(self) -> Interval:
        """95 % interval of `share` for samples like those of the probe, or why there is none."""
        if self.share is None:
            return no_interval("no classes were compared")
        if self.samples != self.predictions:
            return no_interval("several predictions of one sample are not independent")
        return share_interval(self.changed, self.predictions)

    def __repr__(self) -> str:
        if self.share is None:
            return f"Churn(none: {self.reason})"
        return f"Churn({self.changed} of {self.predictions} at step {self.step})"


def churn(a: Record, b: Record) -> Churn:
    """Count the predictions whose class differs, at the last step at which both runs predicted.

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
        return _no_churn("no common step" if both else "no probe", None, same)
    ours, others = a.predictions[step], b.predictions[step]
    if same is False:
        return _no_churn("another probe", step, same)
    if ours.shape != others.shape or not ours.size:
        return _no_churn("another shape", step, same)
    distance = _distance(ours, others)
    rules = {rule_of(record, record.predictions[step]) for record in (a, b)}
    rule = next(iter(rules))
    if len(rules) > 1 or rule in ("regression", "unknown loss"):
        return _no_churn(rule if len(rules) == 1 else "unknown loss", step, same, distance)  # type: ignore[arg-type]  # the two reasons
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
    """Return the class of each prediction.

    Parameters
    ----------
    predictions : (samples, ...) array
    rule : str, optional
        "largest": the index of the largest column; "above 0.5" or "above 0": whether a number
        exceeds that, for each column separately. By default, "largest" for several columns and
        "above 0.5" for one.

    Returns
    -------
    (samples, ...) int64
        A prediction that contains NaN has class -1.
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


def _no_churn(
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
    """Return the digest of a run's probe, as written by its recorder or by `train`."""
    for place, name in ((record.meta.get("recorder"), "digest"), (record.meta, "hash")):
        probe = place.get("probe") if isinstance(place, dict) else None
        if isinstance(probe, dict) and probe.get(name) is not None:
            return probe[name]
    return None


def _distance(ours: npt.NDArray[Any], others: npt.NDArray[Any]) -> float:
    a, b = ours.astype(np.float64), others.astype(np.float64)
    with np.errstate(all="ignore"):  # predictions of a diverging run may be NaN or infinite
        distance, norm = np.linalg.norm(a - b), np.linalg.norm(a)
        return 0.0 if distance == 0 else float(distance / norm)
