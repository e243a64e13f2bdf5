"""``fpdrift class`` and ``fpdrift show`` on records that were mailed, some of them bad."""

import json
import os

import numpy as np
import pytest
from made_records import made
from matplotlib.text import Text

from fpdrift.cli.main import main
from fpdrift.comparison import summary
from fpdrift.plotting import plot
from fpdrift.records import RecordWriter, Tensor, open_record
from fpdrift.serialization import Result
from fpdrift.training import Condition


@pytest.fixture
def folder(tmp_path):
    """Six runs at 1, 2 and 3 threads, one of them of another length; two files that are no help."""
    for name, threads, steps in (
        ("anna", 1, 3),
        ("ben", 1, 3),
        ("chloe", 2, 3),
        ("dan", 2, 3),
        ("eve", 3, 3),
        ("finn", 1, 2),
    ):
        made(
            Condition(intra_op_threads=threads),
            "answer",
            "noise",
            steps=steps,
            labels="one-hot",
            path=tmp_path / f"{name}.fpdrift",
        )
    whole = (tmp_path / "anna.fpdrift").read_bytes()
    (tmp_path / "cut.fpdrift").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "hostile.fpdrift").write_bytes(b"SQLite format 3\0" * 400)
    return tmp_path


def told(capsys, *argv):
    """Run a command that works; give what it printed, without its line breaks."""
    assert main(list(argv)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    return " ".join(" ".join(lines).split())


def test_a_class_is_told(folder, capsys):
    text = told(capsys, "class", str(folder))
    assert text.startswith("6 runs fall into 3 classes of equal bits; 4 steps compared.")
    assert (
        "A 3 runs: anna.fpdrift, ben.fpdrift, finn.fpdrift; finn.fpdrift ended at step 2 intra_op"
        in text
    )
    assert (
        "B 2 runs: chloe.fpdrift, dan.fpdrift diverged from A before step 1, in w last step 3; "
        "intra_op_threads 2; "
    ) in text
    assert (
        "C 1 run: eve.fpdrift diverged from A before step 1, in w last step 3; intra_op_threads 3;"
        in text
    )
    assert "Skipped: 'cut.fpdrift'" in text
    assert "Skipped: 'hostile.fpdrift'" in text
    assert "accuracy at step 2: 0.125 to 0.375, mean 0.208333 in 6 runs" in text


def test_an_anonymous_class_names_nobody(folder, capsys):
    argv = ["class", str(folder), "--anonymous", "--json", str(folder / "all.json")]
    text = told(capsys, *argv, "--plot", str(folder / "all.png"))
    saved = (folder / "all.json").read_text()
    for name in ("anna", "ben", "chloe", "dan", "eve", "finn", "cut", "hostile"):
        assert name not in text
        assert name not in saved
    assert "A 3 runs: run " in text
    assert "Skipped: file 1: not a complete record" in text
    assert (folder / "all.png").stat().st_size
    assert sorted(map(len, Result.from_json(saved).classes)) == [1, 2, 3]


def written(shown):
    """All texts in a picture of a result."""
    return " ".join(t.get_text() for t in plot(shown).figure.findobj(Text))


def test_an_anonymous_class_tells_no_fact_of_a_persons_own(tmp_path, capsys):
    for threads, student in ((1, "Anna Berg"), (2, "Ben Grün")):
        own = {
            "student": student,
            "network": f"{student}'s net",
            "data": {"name": student, "hash": "0", "photographer": student},
            "keras": {"layers": [student], "backend": "jax"},
        }
        one, path = Condition(intra_op_threads=threads), tmp_path / f"{student}.fpdrift"
        made(one, "answer", "noise", steps=2, labels="one-hot", path=path, meta=own)
    argv = ["class", str(tmp_path), "--json", str(tmp_path / "all.json")]
    for more in ([], ["--anonymous"]):
        text = told(capsys, *argv, *more, "--plot", str(tmp_path / "all.png"))
        saved = (tmp_path / "all.json").read_text()
        found = Result.from_json(saved)
        everything = text + saved + json.dumps(found.differs) + written(found)
        for word in ("Anna", "Ben", "Grün", "student", "photographer"):
            assert (word in everything) != bool(more), word
        assert sorted(found.differs["condition.intra_op_threads"]) == [1, 2]
        assert "intra_op_threads 2" in text


def test_a_network_of_fpdrifts_own_is_told_anonymously(tmp_path, capsys):
    for name in ("answer", "question"):
        path = tmp_path / f"{name}.fpdrift"
        made(Condition(), name, "noise", steps=2, labels="one-hot", path=path)
    assert main(["class", str(tmp_path), "--anonymous", "--json", "-"]) == 0
    told_of = json.loads(capsys.readouterr().out)["result"]["differs"]
    assert sorted(told_of["network"]) == ["answer", "question"]


def test_numbers_of_an_anonymous_class_follow_no_name(folder, capsys):
    def run():
        assert main(["class", str(folder), "--anonymous", "--json", "-"]) == 0
        return json.loads(capsys.readouterr().out)["result"]

    before = run()
    names = sorted(folder.glob("*.fpdrift"))
    for path in names:
        path.rename(path.with_suffix(".moved"))
    for path, name in zip(names, reversed(names), strict=True):
        path.with_suffix(".moved").rename(name)
    assert run() == before


def test_a_files_name_does_not_choose_why_it_is_left_out(folder, capsys):
    (folder / "cut.fpdrift").rename(folder / "belongs to a different model than most: x.fpdrift")
    path = folder / "late.fpdrift"
    writer = RecordWriter(path, [Tensor("w", "weight", (2,), "float32", "whole")])
    writer.add_step(2, [1], 0.5, {}, {0: np.zeros(2, np.float32)})
    writer.finish()
    text = told(capsys, "class", str(folder), "--anonymous")
    assert text.count("not a complete record") == 2
    assert text.count("starts at a different step than most") == 1
    assert "a different model" not in text


def test_an_anonymous_class_of_bad_files_alone_names_none(folder, capsys):
    for path in folder.glob("*.fpdrift"):
        path.write_bytes(b"no record")
    assert main(["class", str(folder), "--anonymous"]) == 2
    error = capsys.readouterr().err
    assert "no record can be compared; run without --anonymous" in error
    assert "fpdrift'" not in error


def test_equal_runs_show_no_drift(folder, capsys):
    for name in ("chloe", "dan", "eve", "finn", "cut", "hostile"):
        (folder / f"{name}.fpdrift").unlink()
    text = told(capsys, "class", str(folder))
    assert text.startswith("No drift seen: 2 runs have the same bits; 4 steps compared.")


def test_a_record_is_shown(folder, capsys):
    text = told(capsys, "show", str(folder / "eve.fpdrift"))
    assert text.startswith("eve.fpdrift is a complete record of 4 steps (0 to 3). ")
    assert " bytes; values or sketches at 4 steps. role tensors elements weight 1 " in text
    assert "accuracy 0.375 at step 3" in text
    assert "condition.intra_op_threads 3" in text
    assert main(["show", str(folder / "eve.fpdrift"), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["steps"] == 4


def test_an_incomplete_record_says_so(tmp_path, capsys):
    made(
        Condition(),
        "answer",
        "noise",
        steps=2,
        labels="one-hot",
        path=tmp_path / "half.fpdrift",
        end=False,
    )
    text = told(capsys, "show", str(tmp_path / "half.fpdrift"))
    assert text.startswith("half.fpdrift is an incomplete record of 3 steps (0 to 2). The run was")


def test_bad_input_is_one_line(folder, capsys, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    for argv, why in (
        (["class", str(empty)], "contains no *.fpdrift file"),
        (["class", str(folder / "gone")], "is not a readable folder"),
        (["show", str(folder / "hostile.fpdrift")], "'hostile.fpdrift'"),
        (["show", str(folder / "gone.fpdrift")], "'gone.fpdrift' cannot be read"),
    ):
        assert main(argv) == 2
        error = capsys.readouterr().err
        assert why in error
        assert error.count("\n") == 1


def test_letters_go_on_after_z():
    from fpdrift.comparison._branches import letter

    assert [letter(n) for n in (0, 25, 26, 51, 52, 701, 702)] == [
        *("A", "Z", "AA", "AZ", "BA", "ZZ", "AAA")
    ]


def test_large_records_are_read_where_they_are_trusted(folder, capsys, monkeypatch):
    """Each command that reads records says how, and then does it."""
    one, other = str(folder / "anna.fpdrift"), str(folder / "chloe.fpdrift")
    commands = (
        ["show", one],
        ["compare", one, other, "--no-plots"],
        ["class", str(folder)],
        ["export", one, "--mlflow", str(folder / "out")],
    )
    monkeypatch.setitem(open_record.__kwdefaults__, "max_bytes", 1000)
    for command in commands:
        assert main(command) == 2
        told = capsys.readouterr().err
        assert "more than max_bytes=1000; if you trust it, use --trust" in told
        assert main([*command, "--trust"]) == 0
        assert capsys.readouterr().out
    assert main(["class", str(folder), "--anonymous"]) == 2
    assert main(["class", str(folder), "--anonymous", "--trust"]) == 0


def test_one_bad_file_of_any_kind_stops_no_command(folder, capsys):
    """A loop of links, a name that is not UTF-8, or one that a result keeps for itself."""
    (folder / "loop.fpdrift").symlink_to(folder / "loop.fpdrift")
    (folder / "$a.fpdrift").write_bytes(b"no record")
    (folder / "nobody.fpdrift").mkdir()
    odd = folder / os.fsdecode(b"\xff.fpdrift")
    odd.write_bytes((folder / "anna.fpdrift").read_bytes())
    worse = folder / os.fsdecode(b"\xfe.fpdrift")
    worse.write_bytes(b"no record")
    places = ["--json", str(folder / "all.json")]
    text = told(capsys, "class", str(folder), *places)
    assert text.startswith("7 runs fall into 3 classes of equal bits")
    for name in ("loop.fpdrift", "./$a.fpdrift", "nobody.fpdrift", "\\xfe.fpdrift"):
        assert name in Result.from_json((folder / "all.json").read_text("utf-8")).left_out
    assert text.count("Skipped: ") == 6
    assert "\\xff.fpdrift" in text
    assert told(capsys, "class", str(folder), "--anonymous", *places).count("Skipped: ") == 6
    bad = [str(folder / name) for name in ("loop.fpdrift", "$a.fpdrift", "nobody.fpdrift")]
    argv = [str(folder / "anna.fpdrift"), *bad, str(worse), str(odd)]
    text = told(capsys, "compare", *argv, "--no-plots", *places)
    assert text.count("Skipped: ") == 4
    assert "\\xff (b) has the same bits as anna (a)" in text
    assert told(capsys, "show", str(odd), *places).startswith("\\xff.fpdrift is a complete record")


def test_a_float32_setting_is_written_with_its_own_digits(tmp_path, capsys):
    """Keras tells a learning rate of 0.01 as the float64 number that its float32 is."""
    tensors, path = [Tensor("w", "weight", (2,), "float32", "whole")], tmp_path / "a.fpdrift"
    about = {"optimizers": [{"learning_rate": 0.009999999776482582, "decay": 1 / 3}]}
    changes = (
        "rate: 0.009999999776482582 -> 9.999999747378752e-05",
        "old rate: 0.009999999776482582 -> 0.01",
    )
    writer, value = RecordWriter(path, tensors, meta={"keras": about}), np.zeros(2, np.float32)
    writer.add_step(0, [1], np.nan, {}, {0: value})
    writer.add_phase(0, tensors, changes, [1], {0: value})
    writer.add_step(1, [2], 0.5, {}, {0: value})
    writer.finish()
    text = told(capsys, "show", str(path))
    assert "learning_rate 0.01 " in text
    assert "decay 0.3333333333333333 " in text
    seen = "rate: 0.01 -> 0.0001; old rate: 0.009999999776482582 -> 0.01"
    assert seen in text
    assert seen in told(capsys, "compare", str(path), str(path), "--no-plots")


def test_what_happened_in_the_course_of_a_run_is_shown(tmp_path, capsys):
    tensors = [Tensor("w", "weight", (2,), "float32", "whole")]
    about = {
        "keras": {"optimizers": [{"name": "Adam", "beta_2": 0.999, "learning_rate": 1e-3}]},
        "recorder": {"start_seen": False, "first_step": 1},
        "note": "x" * 500,
    }
    path = tmp_path / "a.fpdrift"
    writer = RecordWriter(path, tensors, meta=about)
    value = np.zeros(2, np.float32)
    writer.add_step(1, [1], 0.5, {}, {0: value})
    writer.add_phase(1, tensors, ["w: frozen -> trained"], [1], {0: value})
    writer.add_step(2, [2], np.inf, {}, {0: value}, not_finite=["loss"])
    writer.finish()
    text = told(capsys, "show", str(path))
    assert "The start is not recorded: a model without an Input creates its weights in" in text
    assert "New phase after step 1: w: frozen -> trained" in text
    assert "First infinite or NaN: loss at step 2" in text
    settings = text.partition("as recorded ")[2]
    assert settings.startswith(
        "setting value keras.optimizers.learning_rate 0.001 keras.optimizers.name Adam"
    )
    assert "keras.optimizers.beta_2 0.999" in settings
    assert "PYTHONHASHSEED not set" in settings
    assert settings.count("x") >= 500
    found = Result.from_json(summary(open_record(path), 1).to_json())
    assert (found.start_seen, found.non_finite.step, len(found.phases)) == (False, 2, 2)
    text = told(capsys, "compare", str(path), str(path), "--no-plots")
    assert "new phase a, after step 1: w: frozen -> trained new phase b, after step 1" in text
    assert "inf or NaN a, first in loss at step 2 inf or NaN b, first in loss at step 2" in text
