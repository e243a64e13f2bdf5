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

#: Trains one model over and over; with each run it goes on from the same start.
TRAIN = """
import sys
sys.path[:0] = {paths!r}
from observed_models import again, cnn
from fpdrift.recorder import DriftRecorder
tell = lambda step, loss: print(step, loss, flush=True)
for path, epochs in {runs!r}:
    model, x, y = again(cnn)
    recorder = DriftRecorder(path, strict=True, on_step=tell, probe=x[:5])
    model.fit(x, y, batch_size=16, epochs=epochs, verbose=0, shuffle=False, callbacks=[recorder])
"""
EPOCHS = 40


def start(runs, **environment):
    code = TRAIN.format(paths=[str(Path(__file__).parent)], runs=runs)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("step", "wait"),
    [(17, 0.004)]
    + [pytest.param(*at, marks=pytest.mark.check) for at in [(1, 0), (2, 0.3), (60, 0), (150, 0.01)]],
)
def test_killed_at_any_moment(step, wait, tmp_path):
    whole, killed = (str(tmp_path / name) for name in ("whole.fpdrift", "killed.fpdrift"))
    with start([(whole, EPOCHS), (killed, 100_000)]) as child:
        for _ in range(5 * EPOCHS):
            child.stdout.readline()
        told = [child.stdout.readline() for _ in range(step)]
        time.sleep(wait)
        child.kill()
        told = [line.split() for line in [*told, *child.stdout]]
    assert child.returncode == -signal.SIGKILL
    expected, record = open_record(whole), open_record(killed)
    steps = len(record.steps)
    assert (expected.complete, record.complete) == (True, False)
    assert steps - 1 >= int(told[-1][0]) >= step  # every step that was told of is there
    assert record.loss[1 : len(told) + 1].tolist() == [float(loss) for _, loss in told]
    both = min(steps, len(expected.steps))
    assert np.array_equal(record.hashes[:both], expected.hashes[:both])


@pytest.mark.check
def test_no_user_host_or_path_in_a_record(tmp_path):
    path = tmp_path / "secretname.fpdrift"
    names = ("USER", "LOGNAME", "USERNAME", "HOSTNAME", "EMAIL")
    planted = dict.fromkeys(names, "quokka") | {"OMP_NUM_THREADS": "1 /home/quokka"}
    with start([(str(path), 2)], **planted) as child:
        child.stdout.read()
    assert child.returncode == 0
    content = path.read_bytes()
    private = {"quokka", "secretname", str(tmp_path), str(Path.cwd()), sys.prefix, str(Path.home())}
    assert [text for text in private if text.encode() in content] == []
