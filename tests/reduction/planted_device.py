"""A device made of NumPy, whose operations vary as planned, to stand in for a GPU."""

from contextlib import contextmanager

import numpy as np

from fpdrift.backends.devices import Device, Operation


class Planted:
    """Counts calls; without its switch, every third result of a sum is one ulp larger."""

    def __init__(self, *, on_gpu=True, switch=True, refuses=(), dtypes=("float32", "bfloat16")):
        self.calls = 0
        self.held = []
        self.deterministic_mode = False
        self.refuses = refuses
        two = Operation("two-pass", "numbers", "numpy.sum", np.sum)
        operations = (
            Operation("sum", "numbers", "planted", self.sum),
            Operation("one-pass", "numbers", "planted", self.sum, twin=two),
            Operation("index_add", "numbers and places", "numpy.add.at", self.index_add),
            Operation("matmul", "matrices", "numpy.matmul", self.matmul),
        )
        self.device = Device(
            name="Planted",
            on_gpu=on_gpu,
            library="planted 1",
            operations=operations,
            dtypes=dtypes,
            put=np.array,
            get=np.asarray,
            wait=lambda _: None,
            switch="its own switch" if switch else "it has no switch",
            deterministic_mode=self.on if switch else None,
            missing={"matmul TF32": "none planted"},
        )

    @contextmanager
    def on(self):
        if "on" in self.refuses:
            raise RuntimeError("no way\nto do that")
        self.held.append(True)
        self.deterministic_mode = True
        try:
            yield
        finally:
            self.deterministic_mode = False
            self.held.pop()

    def sum(self, numbers):
        if "sum" in self.refuses:
            raise MemoryError
        self.calls += 1
        total = np.sum(numbers)
        moved = not self.deterministic_mode and self.calls % 3 == 0
        return np.nextafter(total, total.dtype.type(np.inf)) if moved else total

    def index_add(self, numbers, places, outputs):
        self.calls += 1
        result = np.zeros(outputs, numbers.dtype)
        np.add.at(result, places, numbers)
        if not self.deterministic_mode and self.calls % 2:
            result[0] *= 2
        return result

    def matmul(self, one, other):
        return (one.astype(np.float32) @ other.astype(np.float32)).astype(one.dtype)
