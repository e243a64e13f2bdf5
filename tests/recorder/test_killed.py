"""A training process killed at any moment leaves a record with every committed step."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fpdrift.records import open_record

pytestmark = pytest.mark.slow

TRAIN = """
import sys
sys.path[:0] = {paths!r}
import keras
from observed_models import cnn
from fpdrift.recorder import DriftRecorder
keras.utils.set_random_seed(1)
model, x, y = cnn()
tell = lambda step, loss: print(step, loss, flush=True)
recorder = DriftRecorder({path!r}, strict=True, on_step=tell, probe=x[:5])
model.fit(x, y, batch_size=16, epochs={epochs}, verbose=0, shuffle=False, callbacks=[recorder])
"""


def start(path, epochs, **environment):
    code = TRAIN.format(paths=[str(Path(__file__).parent)], path=str(path), epochs=epochs)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def test_killed_at_five_moments(tmp_path):
    rng = np.random.default_rng(2)
    told = {}
    for attempt in range(5):
        path = tmp_path / f"{attempt}.fpdrift"
        with start(path, 100_000) as child:
            first = child.stdout.readline()
            time.sleep(rng.uniform(0, 0.7))
            child.kill()
            told[path] = [line.split() for line in [first, *child.stdout]]
        assert child.returncode == -signal.SIGKILL
    longest = max(len(lines) for lines in told.values())
    whole = tmp_path / "whole.fpdrift"
    train_to_the_end(whole, longest // 5 + 2)
    expected = open_record(whole)
    assert expected.complete
    for path, lines in told.items():
        record = open_record(path)
        steps = len(record.steps)
        assert not record.complete
        assert steps - 1 >= int(lines[-1][0])  # every step that was told of is there
        assert record.loss[1 : len(lines) + 1].tolist() == [float(loss) for _, loss in lines]
        assert np.array_equal(record.hashes[:steps], expected.hashes[:steps])


def train_to_the_end(path, epochs, **environment):
    with start(path, epochs, **environment) as child:
        child.stdout.read()
    assert child.returncode == 0


def test_no_user_host_or_path_in_a_record(tmp_path):
    path = tmp_path / "secretname.fpdrift"
    names = ("USER", "LOGNAME", "USERNAME", "HOSTNAME", "EMAIL")
    train_to_the_end(path, 2, **dict.fromkeys(names, "quokka"), OMP_NUM_THREADS="1 /home/quokka")
    content = path.read_bytes()
    private = {"quokka", "secretname", str(tmp_path), str(Path.cwd()), sys.prefix, str(Path.home())}
    assert [text for text in private if text.encode() in content] == []
