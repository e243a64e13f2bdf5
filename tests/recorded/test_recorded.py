"""Whatever fpdrift carries as recorded can be read, drawn, and traced to a machine and to code."""

import hashlib
import json
import re
import runpy
import subprocess
from pathlib import Path, PurePosixPath

import pytest
from helpers import missing
from matplotlib.figure import Figure

from fpdrift import FpdriftError, gpu_sums, load_recorded, recorded
from fpdrift.cli.screens import screen
from fpdrift.experiments import FiveRuns, Question
from fpdrift.plotting import plot
from fpdrift.provenance import code_version, current
from fpdrift.recorded import recorded_names
from fpdrift.reduction.gpu import GpuRecording
from fpdrift.serialization import Result

ROOT = Path(__file__).parents[2]


def git(*arguments, text=None):
    done = subprocess.run(["git", *arguments], cwd=ROOT, input=text, capture_output=True)
    if done.returncode:
        missing("no history of the code here")
    return done.stdout


def known_code():
    """Digests of fpdrift's Python files at every commit, made as `code_version` makes them."""
    if git("rev-parse", "--is-shallow-repository").strip() == b"true":
        missing("only a part of the history is here")
    content = {}
    digests = set()
    for commit in git("rev-list", "HEAD", "--", "fpdrift").decode().split():
        rows = git("ls-tree", "-r", commit, "fpdrift/").decode().splitlines()
        blobs = {path: row.split()[2] for row, path in (line.split("\t") for line in rows)}
        blobs = {PurePosixPath(p[8:]): b for p, b in blobs.items() if p.endswith(".py")}
        digest = hashlib.blake2b(digest_size=8)
        for path in sorted(blobs):
            if blobs[path] not in content:
                content[blobs[path]] = git("cat-file", "blob", blobs[path])
            digest.update(path.as_posix().encode() + b"\0" + content[blobs[path]] + b"\0")
        digests.add(digest.hexdigest())
    return digests


@pytest.mark.parametrize("name", recorded_names())
def test_a_recording_is_read_told_and_drawn(name):
    found = load_recorded(name)
    told = screen(found)
    assert told
    assert all(len(line) <= 80 for line in told)
    figure = Figure()
    plot(found, ax=figure.add_subplot())
    figure.draw_without_rendering()
    assert Result.from_json(found.to_json()).to_json() == found.to_json()


@pytest.mark.parametrize("name", recorded_names())
def test_a_recording_names_its_machine_and_its_code(name):
    made_by = load_recorded(name).provenance
    assert made_by.cpu
    assert made_by.cores > 0
    assert {"numpy", "scipy"} <= made_by.packages.keys()
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", made_by.fpdrift)
    assert re.fullmatch(r"[0-9a-f]{16}", made_by.code)


@pytest.mark.check
def test_the_code_of_every_recording_is_that_of_a_commit():
    known = known_code()
    by_code = {load_recorded(name).provenance.code: name for name in recorded_names()}
    assert {code: name for code, name in by_code.items() if code not in known} == {}
    if not git("status", "--porcelain", "--", "fpdrift"):
        assert code_version() in known


def refreshed(folder):
    """Write recordings again, as the committed command does."""
    place = ROOT / "figures" / "record.py"
    return list(runpy.run_path(str(place))["refresh"](folder))


def test_no_recording_holds_what_is_computed_from_it():
    """What is there is as it would be written; a second time there is nothing to change."""
    for name in recorded_names():
        result = load_recorded(name)
        kept = (ROOT / "fpdrift" / "recorded" / f"{name}.json").read_text(encoding="utf-8")
        for word in ("claim", "finding", "title"):
            said = getattr(result, word, None) or getattr(getattr(result, "study", 0), word, None)
            assert not said or json.dumps(said, ensure_ascii=False) not in kept, (name, word)
    assert refreshed(ROOT / "fpdrift" / "recorded") == []


def test_an_older_recording_loses_its_sentences_and_nothing_else(tmp_path):
    now = (ROOT / "fpdrift" / "recorded" / "gate.json").read_text(encoding="utf-8")
    older = json.loads(now)
    older["result"]["study"] |= {"finding": "It was so.", "claim": "So.", "title": "This"}
    path = tmp_path / "gate.json"
    path.write_text(json.dumps(older, ensure_ascii=False), encoding="utf-8")
    (tmp_path / "trees.json").write_bytes(
        (ROOT / "fpdrift" / "recorded" / "trees.json").read_bytes()
    )
    assert refreshed(tmp_path) == ["gate.json"]
    assert path.read_text(encoding="utf-8") == now
    assert refreshed(tmp_path) == []


def five_runs(size="full"):
    return FiveRuns(
        size=size,
        network="answer",
        data="noise",
        labels="multi-hot",
        seed=1,
        steps=469,
        validation_images=256,
        gradients=(),
        source=0.000144,
        skipped={},
    )


@pytest.fixture
def two_kinds(tmp_path, monkeypatch):
    sums = gpu_sums(sizes=10, tries=2)
    gpu = GpuRecording(
        origin="live",
        device="Planted",
        on_gpu=True,
        library="none 1",
        fast=True,
        sums=sums,
        trees=(),
        skipped={},
    )
    (tmp_path / "five-runs.json").write_text(five_runs().to_json(), encoding="utf-8")
    (tmp_path / "gpu-planted.json").write_text(gpu.to_json(), encoding="utf-8")
    (tmp_path / "note.txt").write_text("no recording", encoding="utf-8")
    monkeypatch.setattr(recorded, "files", lambda _: tmp_path)


def test_kinds_are_told_apart(two_kinds):
    assert recorded_names() == ("five-runs", "gpu-planted")
    assert recorded_names("GpuRecording") == ("gpu-planted",)
    assert recorded_names("FiveRuns") == ("five-runs",)
    assert recorded_names("Orders") == ()
    assert load_recorded("five-runs") == five_runs()
    assert load_recorded("five-runs").provenance == current()
    assert load_recorded("gpu-planted").origin == "recorded"
    # a simulation is held against the GPU's sums alone
    assert gpu_sums(sizes=10, tries=2).validation.startswith("not validated")


def test_what_is_there_and_how_to_record_more_is_said(two_kinds):
    with pytest.raises(FpdriftError) as caught:
        load_recorded("six-runs")
    text = str(caught.value)
    assert "'six-runs'" in text
    assert "five-runs (FiveRuns), gpu-planted (GpuRecording)" in text
    assert "fpdrift record-gpu FILE" in text
    assert "fpdrift experiment NAME --full --json FILE" in text
    with pytest.raises(FpdriftError, match="is a FiveRuns, not a GPU recording"):
        gpu_sums("recorded", name="five-runs")


def test_what_is_not_of_the_source_s_size_says_how_much_of_it_was_done():
    for name in recorded_names():
        result = load_recorded(name)
        if getattr(getattr(result, "study", result), "size", "full") == "full":
            continue
        how_much = "Size: quick, smaller than in the forum answer."
        if isinstance(result, Question):
            assert 5 <= result.epochs < result.source_epochs, name
            how_much = f"Size: different from the forum question. {result.epochs} epochs"
        assert how_much in " ".join(line.strip() for line in screen(result)), name
