"""A device has the name that its backend gives it; no GPU is needed to see which is asked for."""

import sys
from types import SimpleNamespace

import pytest
from helpers import require

from fpdrift.backends.devices import device_of

NAME = "NVIDIA H100 80GB HBM3"


def test_jax_names_the_first_of_several():
    jax = require("jax")
    one = jax.device_put(1.0, jax.devices("cpu")[0])
    assert device_of("jax", one) == "CPU"
    gpus = [SimpleNamespace(platform="gpu", id=i, device_kind=f"{NAME} {i}") for i in (1, 0)]
    assert device_of("jax", SimpleNamespace(devices=lambda: gpus)) == f"{NAME} 0"


@pytest.mark.slow
def test_tensorflow_is_asked_for_the_gpu_of_that_number(monkeypatch):
    tf = require("tensorflow")
    with tf.device("CPU:0"):
        assert device_of("tensorflow", tf.Variable(1.0)) == "CPU"
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"{kind}0", f"{kind}1"])
    known = {"GPU1": {"device_name": NAME}, "GPU0": {}}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", known.__getitem__)
    path = "/job:localhost/replica:0/task:0/device:GPU:"
    assert device_of("tensorflow", SimpleNamespace(device=f"{path}1")) == NAME
    assert device_of("tensorflow", SimpleNamespace(device=f"{path}0")) == "GPU"


def test_torch_names_cpu_and_gpu(monkeypatch):
    cuda = SimpleNamespace(get_device_name=lambda device: f"{NAME} of {device.index}")
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    for kind, name in (("cpu", "CPU"), ("cuda", f"{NAME} of 3"), ("mps", "MPS")):
        value = SimpleNamespace(device=SimpleNamespace(type=kind, index=3))
        assert device_of("torch", value) == name
