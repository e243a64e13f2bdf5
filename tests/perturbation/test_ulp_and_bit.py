"""One ulp, one bit, and the description that carries a nudge to another process."""

import json
import math
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, from_bits, to_bits
from fpdrift.perturbation import NudgeAccount, Perturbation, flip_bit, nudge, nudge_ulp, perturb


@given(st.floats(-(2.0**127), 2.0**127, width=32), st.integers(-3, 3))
def test_steps_are_those_of_nextafter(x, steps):
    start = want = np.float32(x)
    for _ in range(abs(steps)):
        want = np.nextafter(want, np.float32(math.copysign(math.inf, steps)))
    (new,), account = nudge_ulp([np.array([7, start], np.float32)], 0, 1, steps)
    assert new[0] == 7
    assert new[1] == want
    assert account.meant == 1
    assert account.changed == (steps != 0)


def test_infinity_is_the_last_step():
    weights = np.array([np.finfo(np.float32).max, np.inf], np.float32)
    assert nudge_ulp(weights, 0, 0)[0][0] == np.inf
    assert nudge_ulp(weights, 0, 1, -1)[0][1] == weights[0]
    for index, steps in ((0, 2), (1, 1)):
        with pytest.raises(FpdriftError, match="past infinity"):
            nudge_ulp(weights, 0, index, steps)


def test_no_step_keeps_a_negative_zero():
    assert math.copysign(1, nudge_ulp(np.array([-0.0]), 0, 0, 0)[0][0]) == -1


def test_one_weight_in_one_tensor_moves_by_one_ulp():
    weights = {"a": np.ones((2, 3)), "b": np.ones((4, 5), np.float16)}
    new, account = nudge_ulp(weights, "b", (1, 2))
    assert np.argwhere(new["b"] != 1).tolist() == [[1, 2]]
    assert float(new["b"][1, 2]) == 1 + 2**-10
    assert (new["a"] == 1).all()
    assert [(t.name, t.meant, t.changed) for t in account.tensors] == [("a", 0, 0), ("b", 1, 1)]
    assert account.largest_change == 2**-10
    assert [(b.exponent, b.meant) for b in account.binades] == [(0, 1)]
    assert np.array_equal(nudge_ulp(weights, "b", 7)[0]["b"], new["b"])


@pytest.mark.parametrize("dtype", sorted(FORMATS))
def test_each_bit_flips_alone_and_back(dtype):
    fmt = FORMATS[dtype]
    weights = {"w": np.array([1.5, -0.0, 3], fmt.dtype)}
    for bit in range(fmt.bits):
        new, account = flip_bit(weights, "w", 1, bit)
        assert to_bits(new["w"][1], fmt) == fmt.sign_bit ^ (1 << bit)
        assert [float(new["w"][i]) for i in (0, 2)] == [1.5, 3]
        assert account.changed == 1
        back, _ = flip_bit(new, "w", 1, bit)
        assert back["w"].tobytes() == weights["w"].tobytes()


@given(st.floats(width=64), st.integers(0, 63))
def test_a_flipped_double_has_the_other_bits(x, bit):
    new, _ = flip_bit(np.array([x]), 0, 0, bit)
    (before,) = struct.unpack("<Q", struct.pack("<d", x))
    (after,) = struct.unpack("<Q", struct.pack("<d", new[0]))
    assert before ^ after == 1 << bit


def test_a_bit_that_makes_a_nan_is_said_and_saved():
    infinite = from_bits(0x7F800000, FORMATS["float32"])
    _, account = flip_bit([np.array([infinite, 1])], 0, 0, 3)
    assert math.isnan(account.largest_change)
    assert account.tensors[0].small == 0
    again = NudgeAccount.from_json(account.to_json())
    assert again.to_json() == account.to_json()


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda w: nudge_ulp(w, "c", 0), "no tensor 'c'; choose one of: a, i, n"),
        (
            lambda w: nudge_ulp(w, "a", 6),
            r"index 6 is out of range for tensor 'a' of shape \(2, 3\)",
        ),
        (lambda w: nudge_ulp(w, "a", -1), "index is -1"),
        (lambda w: nudge_ulp(w, "a", (0, 3)), r"index \(0, 3\) is out of range"),
        (lambda w: nudge_ulp(w, "a", (0,)), r"index \(0,\) is out of range"),
        (lambda w: nudge_ulp(w, "a", 1.0), "index is 1.0"),
        (lambda w: nudge_ulp(w, "a", 0, 0.5), "steps is 0.5"),
        (lambda w: nudge_ulp(w, "a", 0, 10**5000), "steps is an integer of thousands of digits"),
        (lambda w: nudge_ulp(w, "a", 0, 2**63), "past infinity"),
        (lambda w: nudge_ulp(w, "n", 0), "NaN"),
        (lambda w: nudge_ulp(w, "i", 0), "has dtype int64"),
        (lambda w: flip_bit(w, "a", 0, 64), "bit is 64"),
        (lambda w: flip_bit(w, "n", 0, 32), "float32 has no bit 32; choose 0 to 31"),
        (lambda w: flip_bit(w, "a", 0, -1), "bit is -1"),
        (lambda w: flip_bit(w | {"a": "x"}, "a", 0, 0), "tensor 'a' has dtype"),
    ],
)
def test_bad_places_are_named(call, part):
    weights = {
        "a": np.ones((2, 3)),
        "i": np.arange(3, dtype=np.int64),
        "n": np.array([np.nan], np.float32),
    }
    with pytest.raises(FpdriftError, match=part):
        call(weights)


DESCRIPTIONS = [
    (Perturbation(kind="noise"), "nudge 1e-08 on 0.5"),
    (Perturbation(kind="noise", size=0, fraction=1, seed=7), "nudge 0.0 on 1.0, seed 7"),
    (Perturbation(kind="ulp", tensor="dense/kernel", index=5), "+1 ulp on dense/kernel[5]"),
    (Perturbation(kind="ulp", tensor="k", index=(1, 2), steps=-3), "-3 ulp on k[1,2]"),
    (Perturbation(kind="bit", tensor="k", index=0, bit=30), "bit 30 of k[0]"),
]


@pytest.mark.parametrize(("description", "label"), DESCRIPTIONS)
def test_descriptions_survive_a_dict_and_json(description, label):
    assert description.label == label
    assert Perturbation.from_dict(json.loads(json.dumps(description.to_dict()))) == description
    assert Perturbation.from_json(description.to_json()) == description
    assert hash(description) == hash(Perturbation.from_dict(description.to_dict()))


def test_a_description_does_what_the_function_does():
    weights = {"k": np.linspace(-1, 1, 100, dtype=np.float32)}
    told = perturb(weights, Perturbation.from_dict({"kind": "noise", "size": 1e-4, "seed": 3}))
    done = nudge(weights, size=1e-4, seed=3)
    assert told[0]["k"].tobytes() == done[0]["k"].tobytes()
    assert told[1] == done[1]
    assert done[1].perturbation == Perturbation(kind="noise", size=1e-4, seed=3)


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (None, "None is not a perturbation"),
        ({}, "is not a perturbation"),
        ({"kind": "noise", "colour": 1}, "is not a perturbation"),
        ({"kind": "shake"}, "unknown kind of nudge 'shake'; choose one of noise, ulp, bit"),
        (
            {"kind": "noise", "tensor": "a"},
            "tensor is 'a'; a nudge of kind 'noise' does not use it",
        ),
        ({"kind": "ulp", "index": 0}, "tensor is None; a nudge of kind 'ulp' needs a value"),
        ({"kind": "ulp", "tensor": "a"}, "index is None; a nudge of kind 'ulp' needs a value"),
        ({"kind": "ulp", "tensor": "a", "index": 0, "bit": 1}, "bit is 1; .* does not use it"),
        (
            {"kind": "bit", "tensor": "a", "index": 0},
            "bit is None; a nudge of kind 'bit' needs a value",
        ),
        ({"kind": "ulp", "tensor": 3, "index": 0}, "tensor is 3"),
        ({"kind": "ulp", "tensor": "a", "index": ["x"]}, "index is 'x'"),
        ({"kind": "noise", "fraction": 2}, "fraction is 2"),
    ],
)
def test_bad_descriptions_are_refused(data, part):
    with pytest.raises(FpdriftError, match=part):
        Perturbation.from_dict(data)


@pytest.mark.parametrize("room", ["perturbation", "reduction"])
def test_the_room_loads_nothing_heavy(room):
    heavy = "{'tensorflow', 'keras', 'matplotlib', 'scipy', 'sklearn', 'rich', 'pandas'}"
    code = f"import sys, fpdrift.{room}; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
