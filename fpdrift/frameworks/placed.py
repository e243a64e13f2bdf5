"""The device on which a backend keeps a value, by its name: what computes with it."""

from __future__ import annotations

from typing import Any


def device_of(backend: str, value: Any) -> str:
    """Name the device of a variable's value.

    Parameters
    ----------
    backend : str
        Keras' name of it: ``"tensorflow"``, ``"torch"`` or ``"jax"``.
    value : tf.Variable, torch.Tensor or jax.Array

    Returns
    -------
    str
        ``"CPU"``, or the name that the backend knows of the accelerator, such as
        ``"NVIDIA H100 80GB HBM3"``; of several the first one's.
    """
    kind, name = {"tensorflow": _tensorflow, "torch": _torch, "jax": _jax}[backend](value)
    return "CPU" if kind.lower() == "cpu" else name or kind.upper()


def _tensorflow(value: Any) -> tuple[str, str]:
    import tensorflow as tf

    place = tf.DeviceSpec.from_string(value.device)
    if place.device_type != "GPU":
        return place.device_type, ""
    gpu = tf.config.list_physical_devices("GPU")[place.device_index]
    return "GPU", str(tf.config.experimental.get_device_details(gpu).get("device_name", ""))


def _torch(value: Any) -> tuple[str, str]:
    import torch

    kind = value.device.type
    return kind, torch.cuda.get_device_name(value.device) if kind == "cuda" else ""


def _jax(value: Any) -> tuple[str, str]:
    device = min(value.devices(), key=lambda device: device.id)
    return device.platform, device.device_kind
