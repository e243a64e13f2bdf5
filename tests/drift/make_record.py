"""Build records in memory from lists of arrays, one dict of arrays a recorded step."""

import numpy as np
import xxhash

from fpdrift.provenance import current
from fpdrift.records import sketch
from fpdrift.records.record import Record, Tensor

#: tensors with more elements than this are sketched
LARGE = 64


def make_record(states, *, roles=None, zero_gradient=None, steps=None, sketch_steps=None, **fields):
    """Make a record; `states` holds name -> array for each step."""
    roles, zero_gradient = roles or {}, zero_gradient or {}
    steps = np.arange(len(states)) if steps is None else np.array(steps, np.int64)
    sketch_steps = steps if sketch_steps is None else np.array(sketch_steps, np.int64)
    tensors = tuple(
        Tensor(
            name=name,
            role=roles.get(name, "weight"),
            shape=values.shape,
            dtype=values.dtype.name,
            kept="hash"
            if roles.get(name, "weight") in ("slot", "seed")
            else ("sketch" if values.size > LARGE else "whole"),
            zero_gradient=zero_gradient.get(name),
        )
        for name, values in states[0].items()
    )
    seen = [states[i] for i in np.searchsorted(steps, sketch_steps)]
    values = {
        i: np.array([state[t.name].astype(np.float64).ravel() for state in seen]).reshape(
            -1, t.size
        )
        for i, t in enumerate(tensors)
        if t.kept != "hash"
    }
    with np.errstate(all="ignore"):
        norms = {i: np.square(v).sum(axis=1) for i, v in values.items()}
    kept = {
        i: np.array([sketch(row) for row in v]).reshape(-1, 1024)
        if tensors[i].kept == "sketch"
        else v
        for i, v in values.items()
    }
    hashes = [[xxhash.xxh3_64_intdigest(v.tobytes()) for v in state.values()] for state in states]
    return Record(
        **{
            "name": "a.fpdrift",
            "complete": True,
            "tensors": tensors,
            "steps": steps,
            "hashes": np.array(hashes, np.uint64).reshape(len(states), -1),
            "loss": np.full(len(states), np.nan),
            "loss_kind": "step",
            "metrics": {},
            "sketch_steps": sketch_steps,
            "kept": kept,
            "squared_norms": norms,
            "predictions": {},
            "epochs": (),
            "meta": {},
            "provenance": current(),
        }
        | fields
    )
