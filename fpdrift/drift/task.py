"""What a model was trained for, as far as its record says: classes, labels, or numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.records.record import Record

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
    """Say how the class of a prediction is told, or why it has none.

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
    """Give the loss' plain name, and whether it takes logits; None where that is not recorded."""
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
    """Give what a list of one holds, such as the losses of a model's one output."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _activation(record: Record) -> str | None:
    """Give the activation of the model's first output, where the record has it."""
    keras = record.meta.get("keras")
    output = keras.get("output") if isinstance(keras, dict) else None
    found = output.get("activation") if isinstance(output, dict) else None
    return found if isinstance(found, str) else None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
