"""Studies of training: which runs, which figures, which words; trained by made-up records."""

import dataclasses
import itertools
import json
import re
import zlib
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
from made_records import made

import fpdrift
from fpdrift.cli.main import main
from fpdrift.cli.screens import screen
from fpdrift.ensembles import _remote as room
from fpdrift.experiments import (
    Settings,
    Study,
    _hash_seed,
    _metric,
    _no_seeds,
    _thread_counts,
    study,
)
from fpdrift.experiments._op_determinism import cost
from fpdrift.experiments._study import plain, span
from fpdrift.records import open_record
from fpdrift.serialization import Result

NAMES = ("threads-in-training", "nudge", "no-seeds", "metric", "hash-seed", "determinism")
STEPS = {
    "threads-in-training": 30,
    "nudge": 100,
    "no-seeds": 10,
    "metric": 60,
    "hash-seed": 10,
    "determinism": 40,
}
#: Other bits every time.
ENDLESS = itertools.count()


def all_of(condition):
    """Give every two conditions other bits that differ in threads, seed or nudge."""
    nudge = condition.perturbation and condition.perturbation.seed
    seeds = [condition.seed_for(what) for what in ("init", "order", "dropout")]
    return zlib.crc32(repr((condition.intra_op_threads, nudge, *seeds)).encode())


@pytest.fixture
def trained(monkeypatch):
    """Train by `made`; keep the conditions, and let the test choose what makes other bits."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    told = SimpleNamespace(conditions=[], bits=all_of)

    def train(condition, *args, **named):
        told.conditions.append(condition)
        weights = {"w": np.full(64, 2.0**-5, np.float32)}
        account = fpdrift.nudge(weights, size=1e-8, seed=len(told.conditions))[1]
        about = {"nudge": json.loads(account.to_json())["result"]}
        meta = about if condition.perturbation else {}
        return made(condition, *args, **named, meta=meta, bits=told.bits)

    monkeypatch.setattr(room, "train", train)
    monkeypatch.setattr(_hash_seed, "run_module", lambda *_, env: {"hash": env["PYTHONHASHSEED"]})
    monkeypatch.setattr(_hash_seed, "own_chance", lambda _: "0")
    return told


def of(result):
    return result if isinstance(result, Study) else result.study


@pytest.mark.parametrize("name", NAMES)
def test_says_its_size_and_goes_on_where_it_was(name, trained, tmp_path, capsys):
    argv = ["experiment", name, "--out", str(tmp_path), "--json", str(tmp_path / "a.json")]
    assert main(argv) == 0
    printed = capsys.readouterr().out.splitlines()
    saved = Result.from_json((tmp_path / "a.json").read_text())
    assert printed == screen(saved)
    assert all(len(line) <= 80 for line in printed), max(printed, key=len)
    found = of(saved)
    assert (found.name, found.size, found.steps) == (name, "quick", STEPS[name])
    count = len(found.runs)
    assert len(trained.conditions) == count
    text = " ".join(line.strip() for line in printed)
    assert text.startswith(f"{saved.finding} Size: quick, smaller than in the forum answer. ")
    assert f" {count} runs of {STEPS[name]} steps; network: answer;" in text
    kind = "Question" if found.claim.endswith("?") else "Claim"
    assert f"{kind}: {found.claim}" in text
    kept = (tmp_path / "a.json").read_text()
    assert not any(words in kept for words in (saved.finding, found.claim, found.title))
    assert main(argv) == 0
    assert Result.from_json((tmp_path / "a.json").read_text()).to_json() == saved.to_json()
    assert len(trained.conditions) == count


@pytest.mark.parametrize("name", NAMES)
def test_in_the_source_s_size(name, trained, tmp_path, monkeypatch):
    """An epoch, which is made shorter here."""
    sizes = import_module(study(name).run.__module__).STEPS
    assert sizes["full"] == 469
    monkeypatch.setitem(sizes, "full", 33)
    result = study(name).run(Settings(out=tmp_path, full=True, seed=3))
    found = of(result)
    assert (found.size, found.steps, found.seed) == ("full", 33, 3)
    assert {condition.seed for condition in trained.conditions} <= {3, 4}
    assert any("Size: as large as in the forum answer." in line for line in screen(result))
    assert found.losses.shape == (len(found.runs), 33)
    for run, losses in zip(found.runs, found.losses, strict=True):
        folder = "five-runs" if name == "metric" else name
        record = open_record(tmp_path / folder / run.record)
        assert record.loss[1:].tolist() == losses.tolist()


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (lambda c: c.intra_op_threads, "So training is order-dependent here"),
        (lambda _: 1, "No drift was observed."),
        (lambda _: next(ENDLESS), "So this training is nondeterministic here."),
    ],
)
def test_threads_what_is_said_follows_from_the_bits(bits, words, trained, tmp_path):
    trained.bits = bits
    found = _thread_counts.threads_in_training(Settings(out=tmp_path))
    assert words in found.finding
    repeats = [d for d in found.distances if d.label.endswith(" again")]
    assert len(repeats) == len(found.runs) / 2
    assert all(d.baseline == d.label.removesuffix(" again") for d in repeats)
    same = sum(d.first_step is None for d in repeats)
    assert found.finding.startswith(f"{same} of {len(repeats)} settings gave the same bits")
    assert ("no hash" in found.finding) == ("nondeterministic here" not in found.finding)
    counts = {c.intra_op_threads for c in trained.conditions}
    assert counts == {1, 2, 3, 4, 8}
    threads = [d for d in found.distances if re.fullmatch(r"\d threads", d.label)]
    assert [d.baseline for d in threads] == ["1 thread"] * 4
    assert [d.label for d in threads] == [f"{k} threads" for k in (2, 3, 4, 8)]


def test_kernels_that_the_machine_lacks_are_left_out(trained, tmp_path, monkeypatch):
    here = SimpleNamespace(cpu_features=("asimd",))
    monkeypatch.setattr(_thread_counts, "current", lambda: here)
    found = _thread_counts.threads_in_training(Settings(out=tmp_path))
    assert list(found.skipped) == ["oneDNN off", "older instructions"]
    assert len(found.runs) == 10
    assert sum("Skipped: " in line for line in screen(found)) == 2


def test_nudge_draws_noise_anew_each_time(trained, tmp_path):
    found = study("nudge").run(Settings(out=tmp_path, seed=9))
    nudges = [c.perturbation for c in trained.conditions if c.perturbation]
    assert [p.seed for p in nudges] == [9, 10, 11, 12, 13]
    assert {(p.kind, p.size, p.fraction) for p in nudges} == {("noise", 1e-8, 0.5)}
    changed = sorted(
        sum(tensor["changed"] for tensor in open_record(path).meta["nudge"]["tensors"])
        for path in (tmp_path / "nudge").glob("*nudge*.fpdrift")
    )
    assert f"changed {span(changed, ',')} of them, and 5 draws" in found.finding
    assert found["1 thread again"].first_step is None
    assert "A rerun gave the same bits." in found.finding
    assert [c.seed for c in trained.conditions] == [9] * 8 + [10]


def test_no_seeds_spread_at_each_iteration(trained, tmp_path):
    found = study("no-seeds").run(Settings(out=tmp_path))
    names = ("init_seed", "order_seed", "dropout_seed")
    seeds = [tuple(getattr(c, name) for name in names) for c in trained.conditions]
    assert len(set(itertools.chain(*seeds[:5]))) == 15
    assert seeds[5:] == [(None, None, None)] * 5
    assert {c.intra_op_threads for c in trained.conditions[:5]} == {1}
    for i, group in enumerate((slice(0, 5), slice(5, 10))):
        for step in range(10):
            losses = [
                open_record(tmp_path / "no-seeds" / run.record).loss[step + 1]
                for run in found.study.runs[group]
            ]
            assert found.loss_spread[i, step] == max(losses) - min(losses)
    baselines = [d.baseline for d in found.study.distances]
    assert baselines == ["seeds drawn, 1"] * 4 + ["1 thread"] * 4
    again = study("no-seeds").run(Settings(out=tmp_path / "other", seed=2))
    others = [tuple(getattr(c, name) for name in names) for c in trained.conditions[10:15]]
    assert not set(others) & set(seeds)
    assert again.drawn == 5


def test_no_seeds_without_any_drift_of_threads(trained, tmp_path):
    trained.bits = lambda c: (c.init_seed or 0) % 1000
    found = study("no-seeds").run(Settings(out=tmp_path))
    assert "different thread count, do not differ in loss." in found.finding


def test_a_batch_s_own_accuracy():
    own = np.array([3, 9, 0, 64, 5, 5, 1, 30, 31, 32]) / 64
    means = (np.cumsum(own) / np.arange(1, 11)).astype(np.float32).astype(np.float64)
    record = SimpleNamespace(metrics={"accuracy": np.array([np.nan, *means, 0.5])})
    assert _no_seeds._accuracies((record,)).tolist() == [own.tolist()]


def test_metric_takes_the_runs_of_five_runs(trained, tmp_path):
    settings = Settings(out=tmp_path)
    study("five-runs").run(settings)
    done = len(trained.conditions)
    found = study("metric").run(settings)
    assert len(trained.conditions) == done
    assert all("op determinism" in run.condition for run in found.study.runs)
    for name in _metric.METRICS:
        figures = [getattr(run, name) for run in found.study.runs]
        expected = (max(figures) - min(figures)) / figures[0]
        assert found.spread[name] == expected
    assert f"{100 * found.source['accuracy']:.2f}" == "1.65"  # 0.0971 against 0.0955
    assert "none of 256 predictions changes class" in found.finding
    text = " ".join(line.strip() for line in screen(found))
    assert "256 images (the forum answer: 30,000): one image is 0.39 points of accuracy." in text
    text = " ".join(line.strip() for line in screen(dataclasses.replace(found, predictions=100)))
    assert "one image is 1 points" in text
    trained.bits = lambda _: 1
    same = study("metric").run(Settings(out=tmp_path / "same"))
    assert "all metrics are identical" in same.finding


@pytest.fixture
def paced(trained, monkeypatch):
    """Let a step take twice as long with op determinism."""
    clock = SimpleNamespace(now=0.0)

    def perf_counter():
        deterministic = trained.conditions[-1].op_determinism
        clock.now += 2.0 if deterministic else 1.0
        return clock.now

    place = "fpdrift.experiments._op_determinism.time"
    monkeypatch.setattr(place, SimpleNamespace(perf_counter=perf_counter))
    return trained


def test_determinism_times_pairs_of_runs(paced, tmp_path):
    found = study("determinism").run(Settings(out=tmp_path))
    assert list(found.ratios.values()) == [2.0] * 6
    threads = [(c.intra_op_threads, c.op_determinism) for c in paced.conditions]
    off_on = [(k, on) for k in (1, 2, 4) for on in (False, True, True, False)]
    assert threads == [*off_on, (1, False), (1, False)]
    assert [c.inter_op_threads for c in paced.conditions] == [None] * 12 + [1, 1]
    assert {d.label: d.baseline for d in found.study.distances if "2" in d.label} == {
        "2 threads": "1 thread",
        "2 threads again": "2 threads",
        "2 threads, op det.": "1 thread, op det.",
        "2 threads, op det. again": "2 threads, op det.",
    }
    assert "2.00 times as long (median of 6 pairs of runs; 2.00)" in found.finding
    assert "With op determinism, 3 of 3 thread counts gave the same bits" in found.finding
    # a run that was finished before has kept its time
    assert study("determinism").run(Settings(out=tmp_path)).to_json() == found.to_json()
    kept = tmp_path / "determinism" / "40-steps.json"
    times = json.loads(kept.read_text(encoding="utf-8"))
    kept.write_text(json.dumps(times | {next(iter(times)): "soon"}), encoding="utf-8")
    assert len(study("determinism").run(Settings(out=tmp_path)).ratios) == 5
    kept.write_text("{", encoding="utf-8")
    without = study("determinism").run(Settings(out=tmp_path))
    assert without.ratios == {}
    assert "No pair of runs was timed." in without.finding
    assert not any("ratio" in line for line in screen(without))


def test_determinism_that_is_none_is_said(paced, tmp_path):
    paced.bits = lambda _: next(ENDLESS)
    found = study("determinism").run(Settings(out=tmp_path)).finding
    assert "With op determinism, 0 of 3 thread counts gave the same bits" in found
    assert "Without it, 0 of 3" in found


@pytest.mark.parametrize(
    ("bits", "with_it", "without"),
    [
        (lambda c: 0 if c.op_determinism else next(ENDLESS), "3 of 3", "0 of 3"),
        (lambda c: next(ENDLESS) if c.op_determinism else 0, "0 of 3", "3 of 3"),
        (lambda c: 0 if c.op_determinism else c.intra_op_threads, "3 of 3", "3 of 3"),
    ],
)
def test_determinism_is_told_apart_from_its_lack(bits, with_it, without, paced, tmp_path):
    paced.bits = bits
    found = study("determinism").run(Settings(out=tmp_path)).finding
    first, second, third = found.split(". ")[:3]
    same = "thread counts gave the same bits in a rerun"
    assert first.startswith(f"With op determinism, {with_it} {same}")
    assert second.startswith(f"Without it, {without} {same}")
    same = "compared with 1 thread, the others gave the same bits"
    assert (same in first, same in second) == (with_it == "3 of 3", without > with_it)
    assert third.startswith("One intra-op and one inter-op thread gave ")


def test_words_for_numbers():
    assert cost({}) == "No pair of runs was timed."
    few = cost({"a": 0.99, "b": 1.6, "c": 1.5})
    assert "1.50 times as long (median of 3 pairs of runs; 0.99 to 1.60). 2 of 3 took" in few
    shared = "Other load on the machine is not recorded."
    sure = "(sign test: p = 1): too few or too scattered to detect a cost."
    assert few.endswith(f"{sure} {shared}")
    dear = cost({str(k): 1.5 for k in range(6)})
    assert dear.endswith(f"6 of 6 took longer (sign test: p = 0.031). {shared}")
    assert [plain(x) for x in (1.26, 182.4, 142_000.0)] == ["1.3", "180", "140,000"]
    assert span([3.0, 1.0, 2.0], ".1f") == "1.0 to 3.0"
    assert span([2, 2], ",") == "2"


def test_hash_seed_says_what_a_run_felt(trained, tmp_path, monkeypatch):
    own = iter("0012")
    monkeypatch.setattr(_hash_seed, "own_chance", lambda _: next(own))
    trained.bits = lambda c: 5 if c.hash_seed == 1 else 0
    found = study("hash-seed").run(Settings(out=tmp_path))
    assert [c.hash_seed for c in trained.conditions] == [None, None, 0, 1]
    assert [row.distinct for row in found.weights] == [2, 3]
    labels = [run.label.removeprefix("PYTHONHASHSEED ") for run in found.study.runs]
    assert labels == ["not set", "not set again", "= 0", "= 1"]
    assert "gave different bits" in found.finding
    assert "ended with 3 sets of weights in 4 processes." in found.finding


def test_the_training_nudge_is_found_before_the_demo_s(capsys):
    assert study("nudge").summary != fpdrift.experiments.experiment("nudge").summary
    assert main(["experiment", "dance"]) == 2
    assert capsys.readouterr().err.count("nudge") == 1
