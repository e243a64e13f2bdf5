"""What a stranger hands to the recorder, made ready: a probe of any structure, logs of any kind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from fpdrift.errors import FpdriftError, shown

#: The way out when a probe is none.
GIVE_PROBE = "give probe=x[:256], as the model takes it"


def numbers(logs: Mapping[str, Any] | None) -> dict[str, float]:
    """Read what is reported as floats, NaN where it is no number."""
    found = {}
    for name, value in (logs or {}).items():
        try:
            found[str(name)] = float(value)
        except (TypeError, ValueError):
            found[str(name)] = math.nan
    return found


def as_probe(probe: Any) -> Any:
    """Read samples as arrays.

    Raises
    ------
    FpdriftError
        If they are none, or their counts differ.
    """
    try:
        arrays = keras.tree.map_structure(np.asarray, probe)
    except (TypeError, ValueError) as error:
        message = f"the probe is no array ({shown(str(error))}); {GIVE_PROBE}"
        raise FpdriftError(message) from None
    shapes = [array.shape for array in keras.tree.flatten(arrays)]
    sizes = {shape[:1] for shape in shapes}
    if len(sizes) != 1 or sizes & {(), (0,)}:
        message = f"the probe's arrays have the shapes {shown(shapes)}; {GIVE_PROBE}"
        raise FpdriftError(message)
    return arrays
