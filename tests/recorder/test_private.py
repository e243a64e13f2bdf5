"""A record tells nothing of who made it: no user, host, path, or other part of the environment."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "record-format.md").read_text()
PLANTED = ("ada-lovelace", "analytical-engine", "s3cret-t0ken", "note-g")

#: Trains in a process whose user, host and folders are planted, with every way to ask for them.
CHILD = """
import getpass, os, platform, socket, sys
uname = platform.uname()
platform.uname = lambda: uname._replace(node="analytical-engine")
platform.node = socket.gethostname = socket.getfqdn = lambda *_: "analytical-engine"
getpass.getuser = os.getlogin = lambda: "ada-lovelace"
import fpdrift
DriftRecorder = fpdrift.DriftRecorder  # found from fpdrift alone
import keras, numpy as np
from fpdrift.training import Condition, _datasets as data, _worker as worker
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2, "softmax")])
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
x, y = np.ones((32, 4), "float32"), np.eye(2, dtype="float32")[[0, 1] * 16]
names = ("train_images", "train_labels", "validation_images", "validation_labels")
loaded = data.Data(name="noise", labels="one-hot", **dict(zip(names, (x, y, x, y))))
meta = worker.describe({"network": "answer", "steps": 2}, Condition(), loaded)
recorder = DriftRecorder(sys.argv[1], probe=x, strict=True, meta=meta)
model.fit(x, y, batch_size=16, verbose=0, callbacks=[recorder])
print(keras.distribution.list_devices()[0])
"""


def documented(heading):
    """Names in the first column of the page's table under a heading."""
    part = PAGE.split(f"### {heading}\n")[1].split("\n#")[0]
    return {name for line in part.splitlines() for name in re.findall(r"^\| `([\w.]+)`", line)}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The record's bytes, its start, and the device that Keras names."""
    folder = tmp_path_factory.mktemp("ada-lovelace")
    path = folder / "note-g.fpdrift"
    planted = dict.fromkeys(("USER", "LOGNAME", "USERNAME", "EMAIL"), "ada-lovelace")
    planted |= {
        "HOSTNAME": "analytical-engine",
        "API_KEY": "s3cret-t0ken",
        "XLA_FLAGS": f"--xla_dump_to={folder} --xla_cpu_enable_fast_math=false",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", CHILD, str(path)]
    env = os.environ | planted
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    connection = sqlite3.connect(path)
    start = json.loads(connection.execute("SELECT text FROM entry WHERE number = 1").fetchone()[0])
    connection.close()
    return path.read_bytes(), start, done.stdout


@pytest.mark.slow
def test_nothing_planted_is_in_the_file(recorded):
    data, start, _ = recorded
    for word in (*PLANTED, str(Path.home()), str(ROOT), "/tmp/", Path(sys.prefix).name):
        for text in (word, word.encode("utf-16-le").decode("latin-1"), word.upper()):
            assert text.encode() not in data, word
    switches = start["provenance"]["switches"]
    assert switches["XLA_FLAGS"] == "--xla_cpu_enable_fast_math=false"


@pytest.mark.slow
def test_nothing_is_in_the_start_that_the_page_does_not_list(recorded):
    _, start, _ = recorded
    assert set(start) == documented("start")
    assert set(start["provenance"]) == documented("provenance")
    assert set(start["meta"]) <= documented("meta")
    assert set(start["meta"]["keras"]) == documented("meta.keras")
    assert set(start["meta"]) >= {"condition", "data", "network", "keras"}


@pytest.mark.slow
def test_the_device_is_what_keras_would_compute_on(recorded):
    _, start, printed = recorded
    assert (start["provenance"]["device"] == "CPU") == printed.startswith("cpu:")
    assert start["provenance"]["device"]


def test_the_page_lists_every_switch_and_package():
    from fpdrift import provenance

    for name in (*provenance.SWITCHES, *provenance.PACKAGES):
        assert f"`{name}`" in PAGE


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("--a=1 --xla_dump_to=/home/ada", "--a=1"),
        ("--xla_dump_to=C:\\ada --a=1", "--a=1"),
        ('--xla_dump_to="/home/ada lovelace/x" --a=1', ""),
        ("--xla_dump_to=ada --a=1", "--a=1"),
        (":4096:8", ":4096:8"),
    ],
)
def test_a_switch_keeps_no_place(value, kept):
    from fpdrift.provenance import _without_paths

    assert _without_paths(value) == kept
