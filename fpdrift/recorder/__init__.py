"""Record a training run with a Keras callback."""

from fpdrift.recorder._callback import DriftRecorder

__all__ = ["DriftRecorder"]
