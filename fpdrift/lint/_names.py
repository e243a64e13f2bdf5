"""One dotted name for each thing, whatever the script imported it as."""

from __future__ import annotations

import re

#: Other places from which one thing can be imported, as prefixes -> the name used here.
_PREFIXES = (
    ("tensorflow.compat.v2", "tensorflow"),
    ("tensorflow.python.keras", "keras"),
    ("tensorflow.keras", "keras"),
    ("keras.api", "keras"),
    ("keras.models.Sequential", "keras.Sequential"),
    ("keras.models.Model", "keras.Model"),
    ("keras.layers.Input", "keras.Input"),
    ("keras.preprocessing.image_dataset", "keras.utils.image_dataset"),
    ("keras.preprocessing.text_dataset", "keras.utils.text_dataset"),
    ("keras.utils.Sequence", "keras.utils.PyDataset"),
    ("tensorflow.data.experimental.AUTOTUNE", "tensorflow.data.AUTOTUNE"),
    ("multiprocessing.pool.ThreadPool", "multiprocessing.Pool"),
    ("multiprocessing.dummy.Pool", "multiprocessing.Pool"),
    ("concurrent.futures.thread.", "concurrent.futures."),
    ("concurrent.futures.process.", "concurrent.futures."),
)


def canonical(name: str) -> str:
    """Return the one name of what ``tensorflow.keras.models.Sequential`` and its like mean."""
    for prefix, other in _PREFIXES:
        if (
            name == prefix
            or (name.startswith(prefix) and not name[len(prefix)].isalpha())
            or (prefix.endswith((".", "dataset")) and name.startswith(prefix))
        ):
            name = other + name[len(prefix) :]
    return re.sub(r"^sklearn\.(\w+)\._\w+\.", r"sklearn.\1.", name)


def is_dataset(name: str) -> bool:
    """Return whether a name stands for a ``tf.data`` dataset."""
    return name.startswith(
        (
            "tensorflow.data.Dataset.",
            "tensorflow.data.Dataset()",
            "tensorflow.data.TFRecordDataset()",
            "tensorflow.data.TextLineDataset()",
            "keras.utils.image_dataset_from_directory()",
            "keras.utils.text_dataset_from_directory()",
            "tensorflow_datasets.load()",
        )
    )


def is_model(name: str) -> bool:
    """Return whether a name stands for a Keras model."""
    return bool(
        re.fullmatch(
            r"keras\.(Sequential|Model|applications\.[\w.]+|models\.(load_model|clone_model"
            r"|model_from_json)|saving\.load_model)\(\)",
            name,
        )
    )


def method_of(name: str) -> tuple[str, str]:
    """Split ``"keras.Model().fit"`` into the object and the method."""
    head, _, tail = name.rpartition(".")
    return head, tail
