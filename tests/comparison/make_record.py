"""Build records in memory from lists of arrays, one dict of arrays a recorded step."""

import numpy as np
import xxhash

from fpdrift.provenance import current
from fpdrift.records import BUCKETS, sketch
from fpdrift.records._record import Record, Tensor

#: tensors with more elements than this are sketched
LARGE = 64


def make_record(states, *, roles=None, zero_gradient=None, steps=None, sketch_steps=None, **fields):
    """Make a record; `states` holds name -> array for each step."""
    steps = np.arange(len(states)) if steps is None else np.array(steps, np.int64)
    sketch_steps = steps if sketch_steps is None else np.array(sketch_steps, np.int64)
    tensors = tuple(
        tensor_of(name, values, (roles or {}).get(name, "weight"), (zero_gradient or {}).get(name))
        for name, values in states[0].items()
    )
    kept, norms = kept_of(tensors, [states[i] for i in np.searchsorted(steps, sketch_steps)])
    hashes = [[xxhash.xxh3_64_intdigest(v.tobytes()) for v in state.values()] for state in states]
    made = {
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
    return Record(**made | fields)


def tensor_of(name, values, role, zero_gradient):
    """Declare a tensor as a recorder would."""
    kept = "sketch" if values.size > LARGE else "whole"
    return Tensor(
        name=name,
        role=role,
        shape=values.shape,
        dtype=values.dtype.name,
        kept="hash" if role in ("slot", "seed") else kept,
        zero_gradient=zero_gradient,
    )


def kept_of(tensors, states):
    """Give index -> what is kept of each state, and index -> its squared norms."""
    kept, norms = {}, {}
    for i, tensor in enumerate(tensors):
        if tensor.kept == "hash":
            continue
        rows = [state[tensor.name].astype(np.float64).ravel() for state in states]
        whole = np.array(rows).reshape(-1, tensor.size)
        with np.errstate(all="ignore"):
            norms[i] = np.square(whole).sum(axis=1)
        sketched = tensor.kept == "sketch"
        kept[i] = (
            np.array([sketch(row) for row in whole]).reshape(-1, BUCKETS) if sketched else whole
        )
    return kept, norms
