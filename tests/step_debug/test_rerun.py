"""Two recorded runs are repeated to the bit, their step taken apart and its distance split."""

import dataclasses

import numpy as np
import pytest
import split_twenty
from helpers import require

from fpdrift.comparison import compare
from fpdrift.errors import FpdriftError
from fpdrift.perturbation import Perturbation
from fpdrift.serialization import Result
from fpdrift.step_debug import _rerun, explain_step, find_gates, split_steps
from fpdrift.training import Condition, train

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shared_processes")]
NETWORK = "answer-narrow"
OTHERS = ("threads", "planted")
PLANTED = ("dense1/kernel", (17, 4))


@pytest.fixture(scope="module")
def runs(tmp_path_factory, residents):
    """The same run, one with a nudge of one ulp, one at two threads."""
    require("tensorflow")
    folder = tmp_path_factory.mktemp("runs")
    ulp = Perturbation(kind="ulp", tensor=PLANTED[0], index=PLANTED[1], steps=1)
    conditions = {
        "once": Condition(intra_op_threads=1),
        "planted": Condition(intra_op_threads=1, perturbation=ulp),
        "threads": Condition(intra_op_threads=2, op_determinism=True),
    }
    with residents.instead():
        return {
            name: train(condition, NETWORK, steps=3, path=folder / f"{name}.fpdrift")
            for name, condition in conditions.items()
        }


def test_planted_ulp_is_found_before_the_first_step(runs):
    told = []
    found = explain_step(
        runs["once"], runs["planted"], progress=lambda *at: told.append(at), timeout=300
    )
    assert found.step == 1
    assert (found.first.stage, found.first.name) == ("before", PLANTED[0])
    assert (found.first.first_index, found.first.differing) == (PLANTED[1], 1)
    assert found.first.largest_ulps == 1
    assert found.exact
    assert (found.run_a.checked, found.run_b.checked) == (2, 2)
    forward = [d for d in found.differences if d.stage == "forward"]
    assert not {d.layer for d in forward} & {"conv1", "conv2", "pool", "flatten"}
    assert told == [("once.fpdrift", 1, 1), ("planted.fpdrift", 1, 1)]
    assert Result.from_json(found.to_json()) == found
    assert "first before: dense1/kernel, 1 of 589824, at most 1 ulps" in str(found)


def test_step_is_that_of_the_runs_under_two_conditions(runs):
    """What differs after the step is what differs in the records."""
    a, b = runs["once"], runs["threads"]
    found = explain_step(a, b, 2)
    assert found.exact
    row = np.flatnonzero(a.steps == 2)[0]
    wanted = {a.tensors[i].name for i in np.flatnonzero(a.hashes[row] != b.hashes[row])}
    assert {d.name for d in found.differences if d.stage == "after"} == wanted
    order = [
        ("before", "forward", "loss", "backward", "after").index(d.stage) for d in found.differences
    ]
    assert order == sorted(order)
    assert found.compared > 140


@pytest.fixture(scope="module")
def splits_from(runs, residents):
    """Split each pair's steps once."""
    with residents.instead():
        return {name: split_steps(runs["once"], runs[name], [2, 0, 1]) for name in OTHERS}


def test_distance_is_split_into_what_was_there_and_what_came_new(splits_from):
    for other, first_injected in (("threads", 1.0), ("planted", 0.0)):
        splits = splits_from[other]
        assert [s.step for s in splits] == [0, 1, 2]
        assert all(s.exact_a and s.exact_b for s in splits)
        for s in splits:
            assert s.residual <= 1e-15 * (s.amplified + s.injected)
            if s.total:
                assert s.amplified_share + s.injected_share == pytest.approx(1, abs=1e-12)
        if other == "planted":
            assert splits[0].before == pytest.approx(2**-30, rel=1)
            assert [s.injected for s in splits] == [0, 0, 0]  # one condition twice
        elif splits[0].total:
            assert splits[0].before == splits[0].amplified == 0
            assert splits[0].injected_share == first_injected
        assert Result.from_json(splits[2].to_json()) == splits[2]


def test_the_sweep_over_twenty_steps_runs(runs, splits_from, monkeypatch, capsys):
    """Its smallest size, on runs that are there and split; `make faults` trains its own."""
    trained = {1: runs["once"], 2: runs["threads"]}

    def split(a, b, steps):
        assert (a, b) == (runs["once"], runs["threads"])
        return [splits_from["threads"][at] for at in steps]

    monkeypatch.setattr(split_twenty, "train", lambda c, **_: trained[c.intra_op_threads])
    monkeypatch.setattr(split_twenty, "split_steps", split)
    assert split_twenty.main(["--first", "1", "--steps", "1"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("step 1: ")
    assert told[1:] == ["1 of 1 bit-equal to both runs; 1 add up"]


def test_run_that_is_not_repeated_to_the_bit_is_named(runs):
    record = runs["once"]
    column = [t.name for t in record.tensors].index("norm2/gamma")
    hashes = record.hashes.copy()
    hashes[2, column] += np.uint64(1)
    lying = dataclasses.replace(record, hashes=hashes)
    found = explain_step(record, lying, 3)
    assert found.first is None
    assert found.run_a.exact
    assert (found.run_b.mismatch, found.run_b.mismatch_tensors) == (2, ("norm2/gamma",))
    assert not found.exact
    assert "the rerun differs from the record from step 2 on, in norm2/gamma" in str(found)
    (split,) = split_steps(record, lying, [1])
    assert (split.exact_a, split.exact_b) == (True, False)


@pytest.fixture
def no_process(monkeypatch):
    monkeypatch.setattr(_rerun, "run_module", lambda *_, **__: pytest.fail("a process was started"))


@pytest.mark.parametrize(
    ("function", "given", "text"),
    [
        (explain_step, (0,), "step is 0; choose a whole number from 1 to 3"),
        (explain_step, (4,), "step is 4"),
        (explain_step, (2.0,), "step is 2.0"),
        (explain_step, (), "are identical for all 3 steps; pass a step"),
        (split_steps, ([],), r"steps is \[\]; pass 1 to 100"),
        (split_steps, (3,), "steps is 3; pass 1 to 100"),
        (split_steps, ([3],), "step is 4"),
        (split_steps, ([-1],), "step is -1"),
        (split_steps, (range(200),), "steps is range"),
    ],
)
def test_bad_step_is_refused_before_a_process_starts(runs, no_process, function, given, text):
    with pytest.raises(FpdriftError, match=text) as caught:
        function(runs["once"], runs["once"], *given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"condition": None}, "not a condition: None"),
        ({"network": "resnet"}, "unknown network 'resnet'"),
        ({"network": ["answer"]}, r"unknown network \['answer'\]"),
        ({"data": {"name": "cats", "labels": "one-hot"}}, "unknown data 'cats'"),
        ({"data": None}, r"was not written by fpdrift.train, .*keep_step and explain_kept"),
        ({"backend": "theano"}, "unknown backend of the record 'theano'"),
    ],
)
def test_strangers_record_is_refused(runs, no_process, changed, text):
    record = dataclasses.replace(runs["once"], meta={**runs["once"].meta, **changed})
    with pytest.raises(FpdriftError, match=text):
        explain_step(record, record, 1)


def test_gates_of_a_step_are_those_of_the_runs(runs):
    """One ulp in a dense kernel changes what one unit gets: no other layer's gate can change."""
    found = find_gates(runs["once"], runs["planted"], 1)
    assert found.exact
    assert [layer.layer for layer in found.layers] == ["relu1", "relu2", "relu3"]
    assert [layer.gates for layer in found.layers] == [64 * 16 * 26**2, 64 * 16 * 24**2, 64 * 256]
    assert [layer.changed for layer in found.layers[:2]] == [0, 0]
    assert list(found.steps) == [0, 1]
    pair = compare(runs["once"], runs["planted"])
    np.testing.assert_allclose(found.distance, pair.distance_without_zero_gradient[:2], rtol=0.2)
    assert repr(Result.from_json(found.to_json())) == repr(found)
    with pytest.raises(FpdriftError, match="no jump was found"):
        find_gates(runs["once"], runs["planted"])
