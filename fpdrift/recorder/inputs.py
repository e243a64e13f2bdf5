"""What a stranger hands to the recorder, made ready: a probe of any structure, logs of any kind."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from fpdrift.errors import FpdriftError, shown
from fpdrift.records.content import MAX_NAME

#: The way out when a probe is none.
GIVE_PROBE = "give probe=x[:256], as the model takes it"


def numbers(logs: Mapping[str, Any] | None) -> tuple[dict[str, float], list[str]]:
    """Read what is reported as floats.

    Returns
    -------
    found : dict
        Name -> number, NaN where it is none.
    unreadable : list of str
        What was reported and is left out or NaN, and why.
    """
    found, unreadable = {}, []
    for name, value in dict(logs or {}).items():
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= MAX_NAME:
            unreadable.append(f"{shown(name)} is not a name that a record holds")
            continue
        try:
            found[name] = float(value)
        except Exception as error:  # noqa: BLE001 - a stranger's value may raise anything
            found[name] = math.nan
            unreadable.append(f"{shown(name)} is not a number ({type(error).__name__})")
    return found, unreadable


def probe_digest(probe: Any) -> dict[str, Any]:
    """Tell one probe from another: how many samples, and a digest of shapes, dtypes and bytes."""
    digest = hashlib.blake2b(digest_size=16)
    arrays = keras.tree.flatten(probe)
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        held = array.dtype.hasobject  # bytes of these would be addresses
        digest.update(repr(array.tolist()).encode() if held else array.tobytes())
    return {"samples": len(arrays[0]), "digest": digest.hexdigest()}


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
