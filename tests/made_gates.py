"""What the gate microscope would find: one gate that opened in run B alone."""

from fpdrift.serialization import read_only
from fpdrift.step_debug import Gate, Gates, LayerGates

GATE = Gate(
    layer="relu1",
    unit=2,
    sample=44,
    pixel=(10, 17),
    value_a=-2e-8,
    value_b=8e-8,
    spread=1.0,
    ulp=2**-23,
    gradient_a=1e-3,
    gradient_b=1e-3,
)
FOUND = Gates(
    step=4,
    run_a=None,
    run_b=None,
    steps=read_only([3, 4]),
    distance=read_only([1e-7, 1e-5]),
    layers=(LayerGates(layer="relu1", gates=1000, changed=3),),
    layer="relu1",
    unit=2,
    weights=("conv1/kernel",),
    moved_share=0.75,
    shares=read_only([0.1, *[0.0] * 1, 0.8, *[0.005] * 20]),
    unit_changed=1,
    gate=GATE,
)
