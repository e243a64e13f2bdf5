"""Record a training run: `fit` with a Keras callback, a loop of one's own in a ``with`` block."""

from fpdrift.recorder._callback import DriftRecorder
from fpdrift.recorder._loop import LoopRecorder, record

__all__ = ["DriftRecorder", "LoopRecorder", "record"]
