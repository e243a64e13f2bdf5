"""``fpdrift compare`` says of records what they hold, in 80 columns, and draws it."""

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_gates import FOUND
from matplotlib.figure import Figure

from fpdrift import plotting
from fpdrift.cli.main import main
from fpdrift.cli.screens import screen
from fpdrift.comparison import Comparisons, compare
from fpdrift.errors import FpdriftError
from fpdrift.experiments import CnnDrift, ComparedRecords, _compare_records, compare_records
from fpdrift.records import RecordWriter, Tensor, content_hash
from fpdrift.serialization import Result
from fpdrift.step_debug import Diagnosis, RerunCheck, StepDifference, StepExplained

TENSORS = (
    Tensor("dense/kernel", "weight", (3,), "float32", "whole"),
    Tensor("dense/bias", "weight", (2,), "float32", "whole", zero_gradient=True),
    Tensor("sgd/dense/kernel/momentum", "slot", (3,), "float32", "hash"),
)
#: Of a model that shares no weight with it.
OTHERS = (
    Tensor("other/kernel", "weight", (3,), "float32", "whole"),
    Tensor("other/bias", "weight", (2,), "float32", "whole"),
    Tensor("sgd/other/kernel/momentum", "slot", (3,), "float32", "hash"),
)
STEPS = 60


def write(
    path,
    distance=None,
    *,
    meta=None,
    tensors=TENSORS,
    loss=1.0,
    answers=0.0,
    every=1,
    steps=(0, STEPS),
    overwrite=False,
    whole=True,
):
    """Write a run whose kernel, 1 at each step, is off by `distance(step)` times its own norm."""
    writer = RecordWriter(path, tensors, meta=meta or {}, overwrite=overwrite)
    for step in range(steps[0], steps[1] + 1, every):
        off = 0.0 if distance is None else distance(step)
        kernel = np.ones(3, np.float32)
        kernel[0] += np.float32(off * np.sqrt(3))
        values = {0: kernel, 1: np.ones(2, np.float32)}
        slot = np.full(3, off > 0, np.float32)
        hashes = [content_hash(x) for x in (*values.values(), slot)]
        figures = {"accuracy": 0.5} if step else {}
        writer.add_step(step, hashes, loss if step > steps[0] else np.nan, figures, values)
    writer.add_predictions(steps[1], np.array([[0.5 + answers, 0.5], [0.9, 0.1]], np.float32))
    writer.finish() if whole else writer.close()


def growing(step):
    """Equal up to step 4; a power law with a jump of 30 at step 25."""
    return 1e-5 * max(0, step - 4) ** 2 * (30 if step >= 25 else 1)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    condition = {"threads": 1, "seed": 1}
    write("a.fpdrift", meta={"condition": condition})
    write("again.fpdrift", meta={"condition": condition})
    write(
        "b.fpdrift",
        growing,
        meta={"condition": condition | {"threads": 2}},
        loss=1.25,
        answers=-0.25,
    )
    return tmp_path


@pytest.fixture
def laid_out(monkeypatch):
    """Pictures are laid out, which finds what no font can show; their files stay empty."""

    def save(result, stem):
        figure = Figure()
        plotting.plot(result, ax=figure.add_subplot())
        figure.draw_without_rendering()
        for kind in ("png", "svg"):
            Path(f"{stem}.{kind}").touch()

    monkeypatch.setattr(plotting, "save", save)


def told(capsys, *argv):
    """Run a command that works; give what it printed, without its line breaks."""
    assert main(["compare", *argv]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    return " ".join(" ".join(lines).split())


def test_what_differs_is_told(here, capsys):
    text = told(capsys, "a.fpdrift", "b.fpdrift", "--no-plots")
    assert text.startswith("b (b) diverges from a (a) at step 5. verdict cannot tell: ")
    assert "next run `fpdrift compare A B --inside` settings a | b condition.threads: 1 | 2" in text
    assert "not recorded the data, their order and augmentation; the network's code. Any" in text
    assert (
        "first difference at step 5, in 2 of 3 tensors: dense/kernel, sgd/dense/kernel/momentum d"
    ) in text
    assert "distance 0 at step 1, 7.7e-06 at step 5, 2.8e-04 at step 10, 7.3e-01 at step 60" in text
    assert "growth power law" in text
    assert "no jump" not in text
    assert "jump x33.1 at step 25 in dense/kernel" in text
    assert "horizon loss differs by more than 1 % at step 1" in text
    assert (
        "churn 50 % of the predictions changed class at step 60: 1 of 2 (no interval: 2 cases; "
        "an interval needs 6). Whether both predicted the same samples is not recorded "
        "loss"
    ) in text
    assert "loss a 1, b 1.25 at step 60" in text
    assert "growth leaves out weights whose true gradient is zero" in text
    assert list(here.glob("fpdrift-out")) == []


def test_where_nothing_differs_the_resolution_is_told(here, capsys):
    text = told(capsys, "a.fpdrift", "again.fpdrift", "--no-plots")
    assert text.startswith(
        "No drift seen: again (b) has the same bits as a (a) at all 61 steps compared. "
        "verdict identical: no bit differs at any of 61 recorded steps "
        "settings a | b recorded settings: identical d"
    )
    assert (
        "drift none seen: the same bits in 3 tensors at all 61 steps that both recorded "
        "(0 to 60). A single differing bit would have been detected."
    ) in text
    assert not any(word in text for word in ("distance", "growth", "jump", "first difference"))


def test_a_difference_in_one_bit_of_a_slot_is_seen_at_distance_zero(here, capsys):
    writer = RecordWriter("slot.fpdrift", TENSORS, meta={})
    for step in range(STEPS + 1):
        slot = np.zeros(3, np.float32)
        slot[2] = 2.0**-149 if step == STEPS else 0
        values = {0: np.ones(3, np.float32), 1: np.ones(2, np.float32)}
        hashes = [content_hash(x) for x in (*values.values(), slot)]
        writer.add_step(step, hashes, 1.0 if step else np.nan, {}, values)
    writer.finish()
    text = told(capsys, "a.fpdrift", "slot.fpdrift", "--no-plots")
    assert "at step 60, in 1 of 3 tensors: sgd/dense/kernel/momentum distance" in text
    assert "0 at step 1, 0 at step 10, 0 at step 60" in text
    assert "growth none: the weights are equal at every step whose distance is known" in text


def adam(**settings):
    """What a recorder says of a model and its Adam."""
    known = {"name": "Adam", "learning_rate": 1e-3, "weight_decay": None, "clipnorm": None}
    rest = {"global_clipnorm": None, "loss_scale_factor": None, "beta_1": 0.9, "beta_2": 0.999}
    return {"keras": {"loss": "mse", "optimizers": [known | rest | settings]}}


def test_settings_are_told_whole_learning_rate_first(here, capsys):
    write("one.fpdrift", meta=adam())
    write("two.fpdrift", growing, meta=adam(beta_2=0.95, learning_rate=0.01))
    text = told(capsys, "one.fpdrift", "two.fpdrift", "--no-plots", "--json", "x.json")
    assert text.startswith(
        "two (b) diverges from one (a) at step 5. verdict different settings: the runs do not "
        "compute the same thing: learning_rate 0.001 in a, 0.01 in b; beta_2 0.999 in a, 0.95 in b "
        "next run both with the same settings to see what else differs settings a | b "
        "keras.optimizers.learning_rate: 0.001 | 0.01 "
        "keras.optimizers.beta_2: 0.999 | 0.95 not recorded thread count and op determinism; "
        "the data, their order and augmentation; the seeds. Any of these may differ "
        "(fpdrift.step_debug.keep_step keeps batches for a comparison). first"
    )
    assert (
        "churn none: a regression has no classes. The predictions differ by 0.0e+00, relative to"
        in text
    )
    saved = Result.from_json((here / "x.json").read_text()).pairs[0].comparison.differs
    assert saved["keras.optimizers.beta_2"] == (0.999, 0.95)
    text = told(capsys, "a.fpdrift", "two.fpdrift", "--no-plots")
    assert (
        "recorded only in a: condition (2 settings) recorded only in b: keras.optimizers "
        "(8 settings), keras (1 setting)"
    ) in text


def test_runs_that_started_from_different_weights_have_no_law(here, capsys):
    write("one.fpdrift", meta=adam())
    write("two.fpdrift", lambda step: 1.0 + step, meta=adam())
    text = told(capsys, "one.fpdrift", "two.fpdrift", "--no-plots")
    assert (
        "start the runs started from different weights; no seed is recorded; call "
        "keras.utils.set_random_seed before building the model first difference before step 1"
    ) in text
    assert "verdict different start: the weights differ before the first step by 7.7e-01" in text
    assert (
        "growth not analysed: a law describes how rounding grows, and the runs differ in more "
        "than rounding" in text
    )
    assert "starting weights:" not in text
    write("nudged.fpdrift", lambda step: 1e-6 * (1 + step) ** 2, meta=adam() | {"seed": 1})
    text = told(capsys, "one.fpdrift", "nudged.fpdrift", "--no-plots")
    assert "start the runs started from different weights first difference before" in text
    assert "growth not analysed" in text  # nothing says that a perturbation was asked for


def test_a_start_that_was_not_seen_and_one_that_resumes_are_told(here, capsys):
    for name, distance in (("one", None), ("two", growing)):
        about = {"start_seen": False, "probe": {"samples": 2, "digest": name}}
        write(f"{name}.fpdrift", distance, steps=(1, STEPS), meta={"recorder": about})
    text = told(capsys, "one.fpdrift", "two.fpdrift", "--no-plots")
    assert (
        "start not recorded for a and b (a model without an Input creates its weights in the first "
        "step) first difference at step 5"
    ) in text
    assert "settings a | b recorded settings: identical" in text
    assert "churn unknown: the two runs predicted different samples." in text
    meta = adam() | {"recorder": {"start_seen": False}}
    unseen = {"steps": (1, STEPS), "meta": meta}
    write("one.fpdrift", overwrite=True, **unseen)
    write("far.fpdrift", lambda step: 1.0 + 1e-3 * step, **unseen)
    text = told(capsys, "one.fpdrift", "far.fpdrift", "--no-plots")
    assert (
        "The runs started from different weights: their distance is 7.8e-01 after step 1, and "
        "training moves each by only "
    ) in text
    assert "until step 2; no seed is recorded; call keras" in text
    write("near.fpdrift", lambda step: 1e-5 * step, **unseen)
    text = told(capsys, "one.fpdrift", "near.fpdrift", "--no-plots")
    assert "in the first step); whether the starts were equal is unknown first diff" in text
    resumed = {"recorder": {"start_seen": True, "first_step": 30}}
    write("half.fpdrift", steps=(30, STEPS), meta=resumed)
    text = told(capsys, "a.fpdrift", "half.fpdrift", "--no-plots")
    assert (
        "start b resumes at step 30; the same steps are compared not compared steps 0 to 29, only "
        "in a drift"
    ) in text
    assert "first step:" not in text  # no setting
    assert "at all 31 steps that both recorded (30 to 60)" in text
    write("off.fpdrift", lambda _: 1e-3, steps=(30, STEPS), meta=resumed)
    text = told(capsys, "a.fpdrift", "off.fpdrift", "--no-plots")
    assert "first difference at step 30, the first that both recorded, in 2 of 3 tensors" in text


def test_steps_of_one_run_alone_and_a_run_that_did_not_end_are_told(here, capsys):
    write("short.fpdrift", steps=(0, 58))
    write("late.fpdrift", steps=(1, STEPS))
    text = told(capsys, "short.fpdrift", "late.fpdrift", "--no-plots")
    assert "not compared step 0, only in a; steps 59 to 60, only in b" in text
    assert "incomplete" not in text
    write("cut.fpdrift", growing, whole=False)
    text = told(capsys, "short.fpdrift", "cut.fpdrift", "--no-plots")
    assert (
        "not compared steps 59 to 60, only in b incomplete b: the run was interrupted or is still "
        "running first difference"
    ) in text
    assert "complete: True" not in text


def test_the_input_that_a_loaded_model_names_is_no_other_layer(here, capsys):
    for name, layers in (("made", ["Dense"]), ("loaded", ["InputLayer", "Dense"])):
        write(f"{name}.fpdrift", growing, meta={"keras": {"layers": layers}})
    assert "keras.layers" not in told(capsys, "made.fpdrift", "loaded.fpdrift", "--no-plots")
    write("other.fpdrift", meta={"keras": {"layers": ["InputLayer", "Conv2D"]}})
    text = told(capsys, "made.fpdrift", "other.fpdrift", "--no-plots")
    assert "keras.layers: Dense | Conv2D" in text


def test_an_optimizer_that_scales_the_loss_is_compared_by_the_one_that_it_holds(here, capsys):
    inner = {"class_name": "Adam", **adam(learning_rate=1e-2)["keras"]["optimizers"][0]}
    scaling = {"name": "LossScaleOptimizer", "inner_optimizer": inner, "initial_scale": 8.0}
    write("plain.fpdrift", meta=adam())
    write("half.fpdrift", meta={"keras": {"loss": "mse", "optimizers": [scaling]}})
    text = told(capsys, "plain.fpdrift", "half.fpdrift", "--no-plots")
    assert (
        "settings a | b keras.optimizers.learning_rate: 0.001 | 0.01 recorded only in b: "
        "keras.optimizers.wrapper (2 settings) drift"
    ) in text


def test_what_one_run_alone_has_is_named(here, capsys):
    slot = Tensor("adam/0", "slot", (3,), "float32", "hash")
    write("adam.fpdrift", growing, tensors=(*TENSORS[:2], slot))
    text = told(capsys, "a.fpdrift", "adam.fpdrift", "--no-plots")
    assert (
        "compared the 2 tensors that both have; only in a: sgd/dense/kernel/momentum; "
        "only in b: adam/0 first difference at step 5, in 1 of 2 tensors: dense/kernel"
    ) in text
    assert "in dense/kernel, unit 0" in text


def test_two_dtypes_are_told(here, capsys):
    half = (replace(TENSORS[0], dtype="float64"), *TENSORS[1:])
    write("double.fpdrift", tensors=half)
    text = told(capsys, "a.fpdrift", "double.fpdrift", "--no-plots")
    assert "dtype of dense/kernel: float32 | float64" in text
    assert "two dtypes 1 tensor whose bits cannot be compared and count as different: d" in text


def test_what_came_back_and_what_was_not_recorded_is_told(here, capsys):
    write("back.fpdrift", lambda step: 1e-3 if step in (7, 8) else 0)
    assert "; the same bits again at 52 steps" in told(
        capsys, "a.fpdrift", "back.fpdrift", "--no-plots"
    )
    write("seldom.fpdrift", every=4)
    text = told(capsys, "a.fpdrift", "seldom.fpdrift", "--no-plots")
    assert "at all 16 steps that both recorded" in text
    assert "not compared 45 steps between 1 and 59, only in a" in text


def test_several_are_held_against_the_first_and_drawn(here, capsys):
    text = told(capsys, "a.fpdrift", "again.fpdrift", "b.fpdrift", "--out", "pictures")
    assert "again (b) has the same bits as a (a)" in text
    assert "b (b) diverges from a (a)" in text
    names = ("growth-a-again", "tensors-a-again", "growth-a-b", "tensors-a-b")
    names += ("distances-a-again-b", "losses-a-again-b")
    found = {path.name for path in (here / "pictures").iterdir()}
    assert found == {f"{name}.{kind}" for name in names for kind in ("png", "svg")}


def test_a_bad_one_of_many_is_named_and_the_others_are_compared(here, capsys):
    (here / "text.fpdrift").write_text("no record")
    (here / "cut.fpdrift").write_bytes((here / "b.fpdrift").read_bytes()[:9000])
    write("other.fpdrift", tensors=OTHERS)
    bad = ["text.fpdrift", "cut.fpdrift", "other.fpdrift", "gone.fpdrift"]
    text = told(capsys, "a.fpdrift", *bad, "b.fpdrift", "--no-plots", "--json", "x.json")
    assert text.startswith("b (b) diverges from a (a)")
    assert text.count(" (b) ") == 1
    assert text.count("Skipped: ") == 4
    left_out = Result.from_json((here / "x.json").read_text()).left_out
    assert set(left_out) == set(bad)
    assert all(name.removesuffix(".fpdrift") in text for name in bad)
    for argv, words in (
        (["text.fpdrift", "a.fpdrift", "b.fpdrift"], "'text.fpdrift' cannot be opened"),
        (["a.fpdrift", *bad[:2]], "none of 2 records can be compared with the first: 'text.fp"),
        (["a.fpdrift", *bad[1:3], "--no-plots"], "different models that share no weight"),
    ):
        assert main(["compare", *argv]) == 2
        assert words in capsys.readouterr().err
    assert not (here / "fpdrift-out").exists()


def test_long_names_that_begin_alike_have_pictures_of_their_own(here, capsys, laid_out):
    for end in "12":
        write(f"{'ü' * 110}{end}.fpdrift", growing)
    text = told(capsys, "a.fpdrift", *(f"{'ü' * 110}{end}.fpdrift" for end in "12"))
    assert f"{'ü' * 44}… (b) diverges from a (a)" in text
    growths = [path.name for path in (here / "fpdrift-out").glob("growth-*.png")]
    assert len(growths) == 2
    assert all(re.fullmatch(rf"growth-a-{'ü' * 46}-[0-9a-f]{{8}}\.png", name) for name in growths)


def test_comparisons_share_a_folder(here, capsys, laid_out):
    """Each has pictures of its own: of other pairs, and of files of one name in two folders."""
    for folder in ("one", "two"):
        Path(folder).mkdir()
        for name in "ab":
            Path(folder, f"{name}.fpdrift").write_bytes(Path(f"{name}.fpdrift").read_bytes())
    pairs = ("a", "again"), ("again", "a"), ("a", "b"), ("one/a", "one/b"), ("two/a", "two/b")
    pairs += (("one/a", "two/a"),)
    seen = set()
    for pair in pairs:
        told(capsys, *(f"{name}.fpdrift" for name in pair))
        now = {path.name for path in (here / "fpdrift-out").iterdir()}
        assert len(now - seen) == 6
        seen = now
    told(capsys, "a.fpdrift", "b.fpdrift")
    assert {path.name for path in (here / "fpdrift-out").iterdir()} == seen


def test_json_is_the_result_and_tells_the_same(here, capsys):
    assert main(["compare", "a.fpdrift", "b.fpdrift", "--no-plots", "--json", "-"]) == 0
    result = Result.from_json(capsys.readouterr().out)
    assert isinstance(result, ComparedRecords)
    assert result.to_json() == compare_records(["a.fpdrift", "b.fpdrift"]).to_json()
    assert main(["compare", "a.fpdrift", "b.fpdrift", "--no-plots", "--json", "x.json"]) == 0
    assert capsys.readouterr().out.splitlines() == screen(result)
    assert json.loads((here / "x.json").read_text())["result"]["baseline"] == "a"


def test_files_of_one_name_are_told_apart(here, capsys):
    (here / "other").mkdir()
    write("other/a.fpdrift", growing)
    assert "2 a (b) diverges from 1 a (a)" in told(
        capsys, "a.fpdrift", "other/a.fpdrift", "--no-plots"
    )


def test_nothing_of_a_stranger_s_reaches_the_terminal_as_a_command(here, capsys, laid_out):
    facts = {f"fact {i}": 0 for i in range(30)} | {"text": "tab\tand\nline $x$ " * 90}
    write("a.fpdrift", meta=facts | {"text": ""}, overwrite=True)
    write("c\x1b[2J.fpdrift", growing, meta={name: f"{value}1" for name, value in facts.items()})
    text = told(capsys, "a.fpdrift", "c\x1b[2J.fpdrift")
    assert "\x1b" not in text
    assert "c?[2J (b) diverges from a (a)" in text
    assert "and 11 more; --json has all" in text
    write("e.fpdrift", growing, meta={"text": facts["text"]})
    text = told(capsys, "e.fpdrift", "a.fpdrift", "--no-plots")
    assert "(1,530 characters; --json has all) |" in text
    assert "recorded only in b: fact 0, fact 1, " in text


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["a.fpdrift"], "B"),
        (["a.fpdrift", "nowhere.fpdrift"], "'nowhere.fpdrift' cannot be read"),
        (["a.fpdrift", "text.fpdrift"], "'text.fpdrift' cannot be opened"),
        (["a.fpdrift", "."], "cannot be"),
        (["a.fpdrift", "other.fpdrift", "--no-plots"], "different models"),
        (["a.fpdrift", "b.fpdrift", "--inside", "--no-plots"], "was not written by fpdrift.train"),
        (["a.fpdrift", "b.fpdrift", "--out", ""], "name a folder"),
        (["a.fpdrift", "b.fpdrift", "--out", "text.fpdrift"], "cannot write to text.fpdrift"),
        (["a.fpdrift", "b.fpdrift", "--json", "no/where.json"], "cannot write no/where.json"),
        (["a.fpdrift", "b.fpdrift", "--insid"], "--insid"),
    ],
)
def test_bad_input_is_one_line(here, capsys, argv, words):
    (here / "text.fpdrift").write_text("no record")
    write("other.fpdrift", tensors=OTHERS)
    before = sorted(here.iterdir())
    assert main(["compare", *argv]) == 2
    captured = capsys.readouterr()
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err
    assert captured.out == ""
    assert sorted(here.iterdir()) == before


def test_four_runs_without_drift_tell_what_would_have_shown(here):
    pair = compare("a.fpdrift", "again.fpdrift")
    names = {"network": "answer", "data": "noise", "seed": 1, "steps": 60, "records": ()}
    still = CnnDrift(
        **names,
        baseline="1 thread",
        pairs=Comparisons(labels=("1 thread again", "2 threads"), comparisons=(pair, pair)),
        tensors=3,
    )
    told = " ".join(screen(still))
    assert still.verdict == "no drift seen"
    assert "No drift seen: no hash of 3 tensors differed at any of 60 steps." in told
    other = compare("a.fpdrift", "b.fpdrift")
    pairs = replace(still.pairs, comparisons=(pair, other))
    parted = replace(still, pairs=pairs)
    assert parted.verdict == "thread-dependent"  # its runs were not repeated
    assert "No drift" not in " ".join(screen(parted))
    again = replace(still, pairs=replace(pairs, comparisons=(other, pair)))
    assert again.verdict == "nondeterministic"


RUN = RerunCheck(name="a", checked=5, mismatch=None, mismatch_tensors=(), unfaithful=())
GATES = replace(FOUND, step=25, run_a=RUN, run_b=RUN)


@pytest.fixture
def looked_inside(monkeypatch):
    """Let nothing be repeated; tell which steps of which runs would have been."""
    asked = []
    nothing = {"measures": (), "first": None, "start": {}, "settings": ()}

    @contextmanager
    def apart(a, b, steps, timeout, progress):
        asked.append((a.name, b.name, steps))
        yield

    found = StepExplained(step=5, run_a=RUN, run_b=RUN, compared=9, differences=(), unmatched=())
    verdict = Diagnosis(
        verdict="identical", cause="same bits", step=5, run_a=RUN, run_b=RUN, **nothing
    )
    monkeypatch.setattr(_compare_records, "traced_steps", apart)
    monkeypatch.setattr(_compare_records, "compare_traced", lambda *_: found)
    monkeypatch.setattr(_compare_records, "diagnose_traced", lambda *_: verdict)
    monkeypatch.setattr(_compare_records, "gates_in", lambda *_: GATES)
    return asked


def test_the_gate_behind_the_largest_jump_is_named_and_drawn(
    here, capsys, monkeypatch, looked_inside, laid_out
):
    argv = ("a.fpdrift", "b.fpdrift", "--inside")
    text = told(capsys, *argv)
    assert looked_inside == [("a.fpdrift", "b.fpdrift", [5, 25])]  # one training for both
    assert (
        "gate step 25, relu1 unit 2, sample 44, pixel (10, 17): -2e-08 against 8e-08: open only in "
        "b. After it, this unit's weights account for 80.0% of their layer's squared distance."
    ) in text
    assert (here / "fpdrift-out" / "gate-a-b.png").exists()
    other = replace(RUN, mismatch=3, mismatch_tensors=("dense/bias",))
    monkeypatch.setattr(_compare_records, "gates_in", lambda *_: replace(GATES, run_b=other))
    assert "distance. Warning: a: the rerun differs from the record from step 3" in told(
        capsys, *argv, "--no-plots"
    )


def test_where_no_gate_changed_none_is_named(here, capsys, monkeypatch, looked_inside, laid_out):
    def other_batches(*_):
        raise FpdriftError

    argv = ("a.fpdrift", "b.fpdrift", "--inside")
    for gates_in in (lambda *_: replace(GATES, gate=None, unit_changed=0), other_batches):
        monkeypatch.setattr(_compare_records, "gates_in", gates_in)
        text = told(capsys, *argv)
        assert "diagnosis identical: everything that" in text
        assert "gate" not in text
    write("smooth.fpdrift", lambda step: 1e-5 * max(0, step - 4) ** 2)
    monkeypatch.setattr(_compare_records, "gates_in", None)  # not asked for without a jump
    assert "no jump" in told(capsys, "a.fpdrift", "smooth.fpdrift", "--inside", "--no-plots")
    assert looked_inside[-1][-1] == [5]
    assert not list((here / "fpdrift-out").glob("gate-*"))


def test_inside_the_step_the_first_tensor_is_named(here, capsys, monkeypatch, looked_inside):
    first = StepDifference(
        stage="backward",
        name="dense/kernel",
        layer="dense",
        shape=(3,),
        differing=2,
        size=3,
        largest_ulps=7,
        relative=1e-7,
        first_index=(0,),
        value_a=1.0,
        value_b=1.5,
    )
    found = StepExplained(
        step=5, run_a=RUN, run_b=RUN, compared=9, differences=(first,), unmatched=()
    )
    monkeypatch.setattr(_compare_records, "compare_traced", lambda *_: found)
    argv = ("a.fpdrift", "again.fpdrift", "b.fpdrift", "--inside", "--no-plots")
    text = told(capsys, *argv)
    # nothing to look inside where nothing differs
    assert [names for *names, _ in looked_inside] == [["a.fpdrift", "b.fpdrift"]]
    assert text.count("inside ") == 1
    assert (
        "inside step 5, first backward: gradient of dense/kernel, 2 of 3, at most 7 ulps; "
        "1 of 9 tensors differ. The reruns reproduced the recorded bits."
    ) in text
    assert "diagnosis identical: everything that" in text
    other = replace(RUN, mismatch=3, mismatch_tensors=("dense/bias",))
    found = replace(found, run_b=other, differences=())
    text = told(capsys, *argv)
    assert (
        "inside step 5: no difference in 9 tensors. Warning: a: the rerun differs from the record"
        in text
    )
    assert "reproduced" not in text


@pytest.mark.parametrize(
    ("other", "options", "code"),
    [
        ("again", ["--fail-on-difference", "--max-distance", "0"], 0),
        ("b", [], 0),
        ("b", ["--fail-on-difference"], 1),
        ("b", ["--max-distance", "1e-9"], 1),
        ("b", ["--max-distance", "1e9"], 0),
    ],
)
def test_a_pipeline_can_stop_at_a_difference(here, capsys, other, options, code):
    argv = ["compare", "a.fpdrift", f"{other}.fpdrift", "--no-plots", *options]
    assert main(argv) == code
    assert capsys.readouterr().out


def test_a_record_that_was_left_out_stops_a_pipeline_too(here, capsys):
    Path("broken.fpdrift").write_bytes(b"no record")
    argv = ["compare", "a.fpdrift", "again.fpdrift", "broken.fpdrift", "--no-plots"]
    assert main(argv) == 0
    assert main([*argv, "--fail-on-difference"]) == 1


@pytest.mark.parametrize("limit", ["-1", "nan", "inf", "far"])
def test_a_limit_is_a_distance(here, capsys, limit):
    assert main(["compare", "a.fpdrift", "b.fpdrift", f"--max-distance={limit}"]) == 2
    assert limit in capsys.readouterr().err
