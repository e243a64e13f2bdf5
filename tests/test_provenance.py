"""What a result tells of its origin, and what it keeps to itself."""

import json
import os
import platform
import sys
from dataclasses import FrozenInstanceError
from importlib import metadata
from pathlib import Path

import pytest

import fpdrift
from fpdrift import provenance
from fpdrift.errors import FpdriftError
from fpdrift.provenance import Provenance, available_cores, code_version, current


@pytest.fixture
def fresh():
    """Forget what was found before, and again afterwards."""
    current.cache_clear()
    code_version.cache_clear()
    yield
    current.cache_clear()
    code_version.cache_clear()


def test_it_describes_this_process():
    here = current()
    assert here.fpdrift == fpdrift.__version__
    assert here.python == f"{platform.python_implementation()} {platform.python_version()}"
    assert platform.system() in here.system
    assert here.packages["numpy"] == metadata.version("numpy")
    assert 1 <= here.cores <= (os.cpu_count() or 1)
    assert here.device is None


def test_it_survives_json():
    here = current()
    assert Provenance.from_dict(json.loads(json.dumps(here.to_dict()))) == here


def test_it_is_frozen():
    with pytest.raises(FrozenInstanceError):
        current().cpu = "abacus"


def test_switches_that_change_a_rounding_are_kept_and_nothing_else(fresh, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_fast=1 --xla_dump_to=/home/somebody/dump")
    monkeypatch.setenv("MY_SECRET", "hunter2")
    here = current()
    assert here.switches["OMP_NUM_THREADS"] == "3"
    assert here.switches["XLA_FLAGS"] == "--xla_cpu_fast=1"
    text = json.dumps(here.to_dict())
    assert "hunter2" not in text
    assert "somebody" not in text


def test_nothing_names_the_person_or_the_machine():
    text = json.dumps(current().to_dict())
    for private in (platform.node(), str(Path.home()), str(Path.cwd()), sys.prefix):
        assert private not in text


def test_the_code_version_follows_the_code(fresh, monkeypatch, tmp_path):
    (tmp_path / "provenance.py").write_bytes(b"x = 1\n")
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "a.py").write_bytes(b"y = 1\n")
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    seen = []
    for path, content in (
        ("provenance.py", b"x = 1\n"),
        ("provenance.py", b"x = 1\r\n"),  # a checkout on another system
        ("provenance.py", b"x = 2\n"),
        ("room/a.py", b"y = 2\n"),
        ("room/b.py", b""),
    ):
        (tmp_path / path).write_bytes(content)
        code_version.cache_clear()
        seen.append(code_version())
    assert seen[0] == seen[1]
    assert len(set(seen)) == 4


def test_a_machine_that_hides_its_processor_is_unknown(monkeypatch):
    def hidden(*args, **kwargs):
        raise PermissionError

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Path, "read_text", hidden)
    assert provenance._processor() == ("unknown", ())


def test_the_processor_is_read_from_what_linux_tells(monkeypatch):
    told = "processor : 0\nmodel name\t: Abacus 9\nflags\t\t: fpu avx2 fma sse4_2\n\nmodel name : B"
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: told)
    assert provenance._processor() == ("Abacus 9", ("sse4_2", "fma", "avx2"))


def test_cores_are_those_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5, 7}, raising=False)
    assert available_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"cpu": 3},
        {"cores": "two"},
        {"cores": True},
        {"packages": []},
        {"packages": {"numpy": 2}},
        {"cpu_features": "avx"},
        {"cpu_features": [1]},
        {"device": 3},
        {"stranger": 1},
    ],
    ids=str,
)
def test_a_broken_description_is_refused(change):
    with pytest.raises(FpdriftError, match="not a provenance"):
        Provenance.from_dict({**current().to_dict(), **change})


@pytest.mark.parametrize("data", [None, [], "text", {}, {"cpu": "x"}], ids=str)
def test_what_is_no_description_is_refused(data):
    with pytest.raises(FpdriftError, match="not a provenance: expected the fields"):
        Provenance.from_dict(data)
