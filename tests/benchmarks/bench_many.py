"""Time and memory of `compare_many`: it grows with runs times steps. The records are synthetic.

Each has the tensors of the answer's network (those of more than 2,048 numbers sketched) with random
hashes and values; every eighth run leaves the others at a step of its own. Each row is measured in
a process of its own; time is the wall's and the processor's, memory the process's largest.

    python tests/benchmarks/bench_many.py [--runs 10,30,100,300] [--steps 100,468]
"""

import argparse
import sqlite3
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from fpdrift.records import RecordWriter, Tensor, how_kept, is_due

SECONDS, MEGABYTES = 10, 500
SHAPES = (
    *[(3, 3, 1, 32), (32,), (32,), (32,), (3, 3, 32, 32), (32,), (32,), (32,)],
    *[(4608, 512), (512,), (512,), (512,), (512, 10), (10,)],
)
MEASURE = """
import pathlib, resource, sys, time
from fpdrift.comparison import compare_many
paths = sorted(pathlib.Path(sys.argv[1]).glob("*.fpdrift"))
began, cpu = time.perf_counter(), time.process_time()
found = compare_many(paths)
seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
status = pathlib.Path("/proc/self/status")  # getrusage counts the parent before exec, too
most = (int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024 if status.exists()
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
assert len(found.names) == len(paths) and not found.left_out
print(seconds, cpu, most, len(found.classes))
"""


def tensors():
    weights = [(f"layer{i}", "weight", shape) for i, shape in enumerate(SHAPES)]
    slots = [
        (f"adam/layer{i}/{name}", "slot", shape)
        for i, shape in enumerate(SHAPES)
        for name in ("momentum", "velocity")
    ]
    return [
        Tensor(name, role, shape, "float32", how_kept(role, int(np.prod(shape)), "float32"))
        for name, role, shape in (*weights, *slots)
    ]


def write(path, steps, number):
    """One run: the hashes of run 0 until it leaves; sketches of its own."""
    declared = tensors()
    common, own = np.random.default_rng(0), np.random.default_rng(number + 1)
    leaves = own.integers(1, steps) if number % 8 == 0 else steps + 1
    writer = RecordWriter(path, declared, meta={"condition": {"threads": number % 8}})
    values = {i: own.normal(size=t.size) for i, t in enumerate(declared) if t.kept != "hash"}
    packed = writer._pack(values)
    for step in range(steps + 1):
        hashes = common.integers(0, 2**63, len(declared), dtype=np.uint64)
        if step >= leaves:
            hashes = hashes ^ np.uint64(number + 1)
        data = hashes.astype("<u8").tobytes() + (packed if is_due(step, step - 1) else b"")
        text = f'{{"step":{step},"loss":{1 / (step + 1)},"metrics":{{"accuracy":0.5}}}}'
        writer._append("step", text, data)
    writer.finish()


def measure(runs, steps):
    with TemporaryDirectory() as folder:
        for number in range(runs):
            write(Path(folder, f"{number:03}.fpdrift"), steps, number)
        size = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, folder], capture_output=True, text=True, check=True
        )
    return size, *(float(x) for x in done.stdout.split())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", default="10,30,100,300")
    parser.add_argument("--steps", default="100,468")
    options = parser.parse_args()
    print(f"SQLite {sqlite3.sqlite_version}; synthetic records of {len(tensors())} tensors")
    print(" runs  steps      files      wall  processor    memory  a run and step")
    bad = False
    for steps in map(int, options.steps.split(",")):
        for runs in map(int, options.runs.split(",")):
            size, seconds, cpu, most, _ = measure(runs, steps)
            each = cpu / (runs * steps) * 1e6
            print(
                f"{runs:5}  {steps:5}  {size:6.0f} MB  {seconds:6.2f} s   {cpu:6.2f} s"
                f"  {most:5.0f} MB  {each:6.0f} us",
                flush=True,
            )
            bad |= (runs, steps) == (100, 468) and (cpu > SECONDS or most > MEGABYTES)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
