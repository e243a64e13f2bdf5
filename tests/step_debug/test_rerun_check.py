"""A run is repeated under its own condition, and what is said of a repetition is what it was."""

import dataclasses

import numpy as np
import pytest
from made_records import made

from fpdrift.step_debug import Measure, RerunCheck, StepExplained, StepSplit, explain_step
from fpdrift.step_debug import _rerun as room
from fpdrift.training import Condition


class StartedError(Exception):
    """Ends a repetition where its process would begin."""


def test_each_run_is_repeated_under_its_own_condition(tmp_path, monkeypatch):
    """Process by process: what the environment sets, and what the program is told."""
    conditions = [
        Condition(onednn=False, seed=4),
        Condition(instruction_set="AVX2", hash_seed=3, intra_op_threads=2),
    ]
    records = [
        made(condition, "answer", "noise", steps=9, labels="multi-hot", path=tmp_path / name)
        for condition, name in zip(conditions, ("a.fpdrift", "b.fpdrift"), strict=True)
    ]
    started = []

    def run_module(module, task, *, env, timeout, on_progress):
        with np.load(f"{task['folder']}/hashes.npz") as file:
            started.append((module, task, env, timeout, {name: file[name] for name in file}))
        on_progress({"step": 5})
        if len(started) == len(records):
            raise StartedError
        return {"relus": {}}

    monkeypatch.setattr(room, "run_module", run_module)
    told = []
    with pytest.raises(StartedError):
        explain_step(*records, 6, timeout=60, progress=lambda *at: told.append(at))
    assert told == [("a.fpdrift", 5, 6), ("b.fpdrift", 5, 6)]
    for record, condition, (module, task, env, timeout, file) in zip(
        records, conditions, started, strict=True
    ):
        assert (module, timeout) == ("fpdrift.step_debug._rerun_worker", 60)
        assert condition.environment().items() <= env.items()
        assert env["KERAS_BACKEND"] == "tensorflow"
        assert Condition.from_dict(task["condition"]) == condition
        assert [task[name] for name in ("network", "data", "labels")] == [
            "answer",
            "noise",
            "multi-hot",
        ]
        assert (task["steps"], task["trace"], task["other"]) == ([5], True, None)
        assert file["names"].tolist() == ["w"]
        np.testing.assert_array_equal(file["steps"], record.steps)
        np.testing.assert_array_equal(file["hashes"], record.hashes)


def repeated(**fields):
    plain = {"checked": 3, "mismatch": None, "mismatch_tensors": (), "unfaithful": ()}
    return RerunCheck(**{"name": "a"} | plain | fields)


def test_a_repetition_says_how_it_went():
    assert str(repeated()) == "a: bit-identical to the run"
    other = repeated(mismatch=2, mismatch_tensors=("k", "b", "g"))
    assert str(other).endswith("the rerun differs from the record from step 2 on, in k (+2)")
    assert str(repeated(mismatch=2, mismatch_tensors=("k",))).endswith("on, in k")
    astray = repeated(unfaithful=("k", "b"))
    assert str(astray).endswith("it differs in 2 tensors, first in k")
    assert [run.exact for run in (repeated(), other, astray)] == [True, False, False]


def test_a_step_is_exact_if_both_its_runs_are():
    step = StepExplained(
        step=3,
        run_a=repeated(),
        run_b=repeated(),
        compared=7,
        differences=(),
        unmatched=("after k",),
    )
    assert step.exact
    assert str(step) == "step 3: no tensor differs; 0 of 7 tensors differ; 1 without a counterpart"
    for side in ("run_a", "run_b"):
        other = dataclasses.replace(step, **{side: repeated(unfaithful=("k",))})
        assert not other.exact
        assert str(other).endswith("it differs in one tensor, k")


def test_a_split_tells_its_parts():
    split = StepSplit(
        step=4,
        before=1.0,
        total=2.0,
        amplified=0.5,
        injected=0.25,
        amplified_share=0.9,
        injected_share=0.1,
        residual=0.0,
        exact_a=True,
        exact_b=True,
    )
    assert str(split) == "step 4: total 2, amplified 0.5, injected 0.25"


def test_what_is_as_far_as_rounding_goes_is_not_beyond_it():
    same = {"what": "loss", "explained": 1e-6, "explained64": 1e-15}
    at = Measure(distance=1e-6, distance64=1e-15, **same)
    assert (at.beyond, at.stays) == (False, False)
    over = Measure(distance=1.1e-6, distance64=1.1e-15, **same)
    assert (over.beyond, over.stays) == (True, True)
    lost = Measure(distance=np.nan, distance64=np.nan, **same)
    assert (lost.beyond, lost.stays) == (True, True)
