"""The Keras callback that records a training run."""

from fpdrift.recorder._callback import DriftRecorder

__all__ = ["DriftRecorder"]
