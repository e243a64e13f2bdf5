"""The gate behind a jump: what is said follows from the jump and from whether there is one."""

import dataclasses

import numpy as np
import pytest
from made_gates import FOUND, GATE
from made_records import made

from fpdrift import load_recorded
from fpdrift.cli.screens import screen
from fpdrift.ensembles import _remote
from fpdrift.experiments import Settings, _one_gate, study
from fpdrift.experiments._study import at_most
from fpdrift.plotting import plot
from fpdrift.serialization import Result, read_only
from fpdrift.step_debug import RerunCheck

GATES = dataclasses.replace(
    FOUND, step=3, steps=read_only([1, 2, 3]), distance=read_only([1e-7, 2e-7, 5e-6])
)


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """Give the study with made records, which cannot be repeated, and a gate or none."""

    def run(gates, bits=lambda condition: condition.intra_op_threads):
        monkeypatch.setattr(_remote, "train", lambda *a, **named: made(*a, **named, bits=bits))
        monkeypatch.setattr(_one_gate, "_largest_jump", lambda *_: gates)
        return study("gate").run(Settings(out=tmp_path))

    return run


def test_the_jump_and_its_gate_are_told(ran):
    result = ran(GATES)
    lines = screen(result)
    assert all(len(line) <= 80 for line in lines)
    said = " ".join(" ".join(lines).split())
    assert "Size: quick, smaller than in the forum answer. 2 runs of 30 steps;" in said
    told = result.finding
    assert "Step 3 alone multiplied the distance by 25.0. At one pixel of one image, " in told
    assert "unit 2 of relu1 is open in one run and closed in the other; " in told
    assert "within 8.0e-08 of zero. The unit accounts for all but 20 % of its layer's" in told
    assert any(line.split() == ["3", "5.0e-06"] for line in lines)
    title = plot(result).get_title("left")
    assert title.startswith("Step 3: a ReLU is open only in run B")
    assert title.endswith("Run A: 1 thread, run B: 2 threads (quick: 30 steps per run)")
    again = Result.from_json(result.to_json())
    assert again.gates.gate == GATE
    np.testing.assert_array_equal(again.gates.distance, GATES.distance)


@pytest.mark.parametrize(
    ("gates", "words"),
    [
        (None, "no step is a jump, so there is no gate to show"),
        (
            dataclasses.replace(GATES, gate=None),
            "no gate of the unit that diverged most had changed",
        ),
    ],
)
def test_what_was_not_found_is_not_told(ran, gates, words):
    result = ran(gates)
    assert words in result.finding
    plot(result)
    screen(result)


@pytest.mark.parametrize(
    ("pixel", "changed", "words"),
    [
        (
            (),
            1,
            "For one image, unit 2 of relu1 is open in one run and closed in the other; its inputs",
        ),
        (
            (),
            3,
            "For 3 images, unit 2 of relu1 is open in one run and closed in the other; the inputs",
        ),
        (
            (10, 17),
            1,
            "At one pixel of one image, unit 2 of relu1 is open in one run and closed in the other",
        ),
        (
            (10, 17),
            1200,
            "At 1,200 pixels, unit 2 of relu1 is open in one run and closed in the other; the",
        ),
    ],
)
def test_how_many_gates_of_the_unit_changed_is_told(ran, pixel, changed, words):
    gate = dataclasses.replace(GATE, pixel=pixel)
    told = ran(dataclasses.replace(GATES, gate=gate, unit_changed=changed)).finding
    assert words in told
    assert ("with the largest gradient are within" in told) == (changed > 1)


@pytest.mark.parametrize("gate", [GATE, None])
def test_a_repeat_of_other_bits_is_said_to_be_one(ran, gate):
    run = RerunCheck(name="b", checked=4, mismatch=2, mismatch_tensors=("w",), unfaithful=())
    doubt = "The traced step is not bit-identical to that of the runs."
    gates = dataclasses.replace(GATES, gate=gate)
    assert doubt in ran(dataclasses.replace(gates, run_b=run)).finding
    exact = dataclasses.replace(run, mismatch=None, mismatch_tensors=())
    assert doubt not in ran(dataclasses.replace(gates, run_b=exact)).finding


def test_what_is_recorded_is_told():
    assert "For one image, unit 65 of relu3 is open in one run" in load_recorded("gate").finding


def test_equal_bits_have_no_jump(monkeypatch, tmp_path):
    monkeypatch.setattr(_remote, "train", lambda *a, **named: made(*a, **named, bits=lambda _: 1))
    result = study("gate").run(Settings(out=tmp_path))
    assert result.gates is None
    assert "1 and 2 threads gave the same bits (30 steps)" in result.finding
    assert "no hash" in result.finding


@pytest.mark.parametrize(
    ("number", "told"),
    [(3.449e-5, "3.5e-05"), (8e-8, "8.0e-08"), (9.91, "1.0e+01"), (0.0, "0.0e+00")],
)
def test_what_lies_within_is_rounded_up(number, told):
    assert at_most(number) == told
    assert float(told) >= number
