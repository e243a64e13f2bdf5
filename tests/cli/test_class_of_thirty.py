"""Thirty records by mail: one command tells which have equal bits, and names the four bad ones."""

import dataclasses

import numpy as np
import pytest
from made_records import made

from fpdrift import provenance
from fpdrift.cli.main import main
from fpdrift.records import RecordWriter, Tensor, content_hash
from fpdrift.serialization import Result
from fpdrift.training import Condition

MACHINES = {
    "AMD EPYC 7B13": ("Linux x86_64", 8),
    "Apple M2": ("Darwin arm64", 10),
    "Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz": ("Windows AMD64", 4),
}
#: threads, instruction set, dtype, seed of each student
PLAN = [
    *[(1, None, "float32", 1)] * 7,
    *[(2, None, "float32", 1)] * 4,
    *[(4, None, "float32", 1)] * 4,
    *[(1, "AVX2", "float32", 1)] * 3,
    *[(1, None, "float64", 1)] * 3,
    *[(2, None, "float64", 1)] * 2,
    *[(1, None, "float32", 7)] * 3,
]
#: from this step on a thread count or an instruction set has bits of its own
PARTING = {"threads": 3, "instructions": 5}
STEPS = 8


def bits_of(threads, instructions, dtype, seed, step):
    """What decides the bits at a step."""
    return (
        seed,
        int(dtype == "float64"),
        min(threads, 2) if step >= PARTING["threads"] else 0,
        int(instructions is not None) if step >= PARTING["instructions"] else 0,
        step,
    )


def write(path, student):
    """A student's run: of bits decided by the setting, on one of three kinds of machine."""
    threads, instructions, dtype, seed = PLAN[student]
    cpu = list(MACHINES)[student % 3]
    system, cores = MACHINES[cpu]
    here = dataclasses.replace(provenance.current(), cpu=cpu, system=system, cores=cores)
    condition = Condition(
        intra_op_threads=threads, instruction_set=instructions, dtype_policy=dtype, seed=seed
    )
    about = {"condition": condition.to_dict(), "network": "answer", "backend": "tensorflow"}
    tensor = Tensor("dense/kernel", "weight", (3,), dtype, "whole")
    writer = RecordWriter(path, [tensor], meta=about, provenance=here)
    for step in range(STEPS + 1):
        rng = np.random.default_rng(bits_of(*PLAN[student], step))
        values = rng.normal(size=3).astype(dtype)
        writer.add_step(step, [content_hash(values)], 1.0 if step else np.nan, {}, {0: values})
    writer.finish()


@pytest.fixture
def folder(tmp_path):
    for student in range(len(PLAN)):
        write(tmp_path / f"student-{student:02}.fpdrift", student)
    whole = (tmp_path / "student-00.fpdrift").read_bytes()
    (tmp_path / "cut-early.fpdrift").write_bytes(whole[:5000])
    (tmp_path / "cut-late.fpdrift").write_bytes(whole[:-4096])
    made(Condition(), "q", "noise", steps=2, labels="x", path=tmp_path / "other-model.fpdrift")
    (tmp_path / "hostile.fpdrift").write_bytes(whole.replace(b"CREATE TABLE", b"CREATE VIEW  "))
    return tmp_path


def test_one_command_tells_the_classes_and_names_the_bad_ones(folder, capsys):
    saved = folder / "class.json"
    assert main(["class", str(folder), "--json", str(saved)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    text = " ".join(" ".join(lines).split())
    found = Result.from_json(saved.read_text())
    truth = {}
    for student, plan in enumerate(PLAN):
        truth.setdefault(bits_of(*plan, STEPS), set()).add(f"student-{student:02}.fpdrift")
    assert {frozenset(found.names[run] for run in runs) for runs in found.classes} == {
        frozenset(names) for names in truth.values()
    }
    bad = {"cut-early.fpdrift", "cut-late.fpdrift", "other-model.fpdrift", "hostile.fpdrift"}
    assert set(found.left_out) == bad
    assert text.startswith("26 runs fall into 6 classes of equal bits")
    assert all(name in text for name in bad)
    assert text.count("Skipped: ") == 4
    # a seed and a dtype begin apart; threads part within both dtypes
    assert [split.step for split in found.splits] == [0, 3, 3, 5]
    assert str(folder) not in text


def test_the_table_counts_every_run_once_by_machine_and_threads(folder, capsys):
    assert main(["class", str(folder), "--anonymous"]) == 0
    lines = capsys.readouterr().out.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("  threads  processor"))
    end = next(i for i in range(first, len(lines)) if not lines[i])
    table = [line.split("  ") for line in lines[first:end]]
    assert "runs" in lines[first]
    at = lines[first].index("runs")
    counts = [int(line[at:].split()[0]) for line in lines[first + 1 : end]]
    assert sum(counts) == len(PLAN)
    assert len(table) - 1 == len({(*plan, i % 3) for i, plan in enumerate(PLAN)})
    assert not any("student" in line for line in lines)
