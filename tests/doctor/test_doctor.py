"""The doctor on scripts that train: causes, lines, remedies, and bits that stay as they are."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from fpdrift.cli.main import main
from fpdrift.cli.screens import screen
from fpdrift.doctor import page
from fpdrift.serialization import Result

pytest.importorskip("tensorflow")
pytestmark = pytest.mark.check

MODEL = """
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x, y, epochs=2, verbose=0)
"""
UNSEEDED = f"""import keras
import numpy as np

rng = np.random.default_rng(1)
x = rng.normal(size=(64, 8))
y = np.random.normal(size=(64, 1))
{MODEL}"""
SEEDED = f"""import sys

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.normal(size=(64, 8))
y = np.random.normal(size=(64, 1))
{MODEL}
np.save(sys.argv[1], np.concatenate([w.ravel() for w in model.get_weights()]))
"""


def test_an_unseeded_script_gets_its_lines_and_a_proven_remedy(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(UNSEEDED)
    argv = ["doctor", "train.py", "--json", "found.json", "--html", "found.html"]
    assert main([argv[0], *argv[2:], argv[1]]) == 1
    printed = capsys.readouterr().out
    found = Result.from_json(Path("found.json").read_text())
    assert all(line in printed for line in screen(found))
    assert found.conclusion == "cause found"
    assert {cause.kind for cause in found.causes} == {"unseeded generator"}
    places = {cause.place: cause.subject for cause in found.causes}
    assert places["train.py:6"] == "np.random.normal"
    assert any(9 <= cause.line <= 10 for cause in found.causes)  # the layers, or their model
    assert len(found.runs) == 4
    with_it, without = found.runs[:2], found.runs[2:]
    assert with_it[0].digest != with_it[1].digest
    assert without[0].digest == without[1].digest
    assert found.difference.verdict == "different start"
    html = Path("found.html").read_text()
    assert html == page(found, Path("train.py"))
    assert "<mark>   6  y = np.random.normal(size=(64, 1))</mark>" in html
    assert "http" not in html
    # as a step of a pipeline that accepts what is known
    assert main(["doctor", "--baseline", "found.json", "train.py"]) == 0


def test_a_seeded_script_repeats_and_its_bits_are_those_without_the_doctor(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SEEDED)
    plain = subprocess.run(
        [sys.executable, "train.py", str(tmp_path / "plain.npy")], check=True, capture_output=True
    )
    assert plain.returncode == 0
    assert main(["doctor", "train.py", str(tmp_path / "observed.npy")]) == 0
    assert Path("plain.npy").read_bytes() == Path("observed.npy").read_bytes()


def test_the_fixture_passes_what_repeats_and_fails_what_does_not(tmp_path):
    body = "    import keras\n    import numpy as np\n" + "".join(
        f"    {line}\n" for line in ("x, y = np.ones((8, 8)), np.ones((8, 1))" + MODEL).splitlines()
    )
    (tmp_path / "test_training.py").write_text(
        f"def unseeded():\n{body}\n\n"
        f"def seeded():\n    import keras\n    keras.utils.set_random_seed(1)\n    unseeded()\n\n"
        "def test_good(assert_reproducible):\n    assert_reproducible(seeded)\n\n"
        "def test_bad(assert_reproducible):\n    assert_reproducible(unseeded)\n\n"
        "def test_wrong(assert_reproducible):\n    assert_reproducible(lambda: 1)\n"
    )
    installed = "fpdrift" in entry_points(group="pytest11").names  # since the last install
    named = () if installed else ("-p", "fpdrift.doctor._pytest")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *named, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert "2 failed, 1 passed" in done.stdout
    assert "unseeded: The runs of" in done.stdout
    assert "differ because of an unseeded generator" in done.stdout
    assert "test_training.py:" in done.stdout
