"""What other programs read from an export is what the records and comparisons hold."""

import csv
import dataclasses
import json
import sys

import numpy as np
import pytest
from helpers import require
from made_records import made

import fpdrift
from fpdrift.cli.main import main
from fpdrift.comparison import Comparisons
from fpdrift.errors import FpdriftError, MissingExtraError
from fpdrift.exports import export, to_pandas
from fpdrift.exports._export import COLUMNS, FORMATS
from fpdrift.records import RecordWriter, Tensor, content_hash, open_record
from fpdrift.training import Condition


@pytest.fixture
def files(tmp_path):
    """Two runs that differ, with accuracy at every step and what two epochs came to."""
    for name, threads in (("one", 1), ("two", 2)):
        made(
            Condition(intra_op_threads=threads),
            "answer",
            "noise",
            steps=4,
            labels="one-hot",
            path=tmp_path / f"{name}.fpdrift",
            epochs=[(2, {"loss": 0.5, "val_loss": float("nan")}), (4, {"loss": 1 / 3})],
        )
    return [tmp_path / "one.fpdrift", tmp_path / "two.fpdrift"]


def chosen(table, **columns):
    """Give steps and values of the rows that have these words."""
    for name, word in columns.items():
        table = table[table[name] == word]
    return table["step"].tolist(), table["value"].to_numpy()


def test_a_record_is_a_tidy_table(files):
    require("pandas")
    record = open_record(files[0])
    table = to_pandas(record)
    assert list(table.columns) == list(COLUMNS)
    assert set(table["run"]) == {"one.fpdrift"}
    assert not table.duplicated(["run", "step", "tensor", "quantity"]).any()
    steps, loss = chosen(table, quantity="loss", tensor="")
    assert steps == [1, 2, 3, 4]
    np.testing.assert_array_equal(loss, record.loss[1:])
    assert chosen(table, quantity="accuracy")[1].tolist() == record.metrics["accuracy"][1:].tolist()
    steps, norms = chosen(table, quantity="norm", tensor="w")
    assert steps == record.sketch_steps.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(norms, np.linalg.norm(record.kept[0], axis=1))
    assert [list(x) for x in chosen(table, quantity="epoch/loss")] == [[1, 2], [0.5, 1 / 3]]
    assert np.isnan(chosen(table, quantity="epoch/val_loss")[1]).tolist() == [True]


def test_a_comparison_is_a_tidy_table(files):
    require("pandas")
    pair = fpdrift.compare(*files)
    table = to_pandas(Comparisons(labels=("two",), comparisons=(pair,)))
    assert set(table["run"]) == {"two.fpdrift against one.fpdrift"}
    steps, distance = chosen(table, quantity="distance", tensor="")
    assert steps == pair.steps.tolist()
    np.testing.assert_array_equal(distance, pair.distance)
    np.testing.assert_array_equal(
        chosen(table, quantity="distance", tensor="w")[1], pair.distance_by_weight[0]
    )
    assert chosen(table, quantity="differing tensors")[1].tolist() == pair.differing.tolist()
    difference = chosen(table, quantity="loss difference")
    assert difference[0] == [1, 2, 3, 4]
    np.testing.assert_array_equal(difference[1], (pair.loss[1] - pair.loss[0])[1:])
    assert [list(x) for x in chosen(table, quantity="churn")] == [[4], [pair.churn]]


def test_runs_of_one_name_are_told_apart(files):
    require("pandas")
    table = to_pandas(files[0], str(files[0]))
    assert list(dict.fromkeys(table["run"])) == ["one.fpdrift", "one.fpdrift #2"]


def test_both_tables_hold_the_same_bits(files, tmp_path):
    pandas = require("pandas")
    require("pyarrow")
    table = to_pandas(*files)
    text, binary = export(files, csv=tmp_path / "out.csv", parquet=tmp_path / "deep" / "folder")
    assert (text.name, binary.name) == ("out.csv", "fpdrift.parquet")
    pandas.testing.assert_frame_equal(
        pandas.read_parquet(binary), table, check_exact=True, check_dtype=False
    )
    with text.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["tensor"] for row in rows] == table["tensor"].tolist()
    values = np.array([float(row["value"]) for row in rows])
    np.testing.assert_array_equal(values, table["value"].to_numpy())


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "＝"])
def test_no_text_of_a_strangers_runs_as_a_formula(files, tmp_path, start):
    """Names of files, tensors and metrics are anybody's; numbers are none, and stay as they are."""
    evil = f"{start}HYPERLINK(1)"
    record = open_record(files[0])
    record = dataclasses.replace(
        record,
        name=evil,
        tensors=(dataclasses.replace(record.tensors[0], name=evil),),
        loss=np.full(5, -0.5),
        metrics={evil: np.full(5, -np.inf)},
    )
    (path,) = export([record, fpdrift.compare(record, record)], csv=tmp_path / "out.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    texts = {row[name] for row in rows for name in ("run", "tensor", "quantity")}
    assert {f"'{evil}", ""} < texts
    assert not any(text.startswith(start) for text in texts)
    values = {row["quantity"]: row["value"] for row in rows if row["run"] == f"'{evil}"}
    assert (values["loss"], values[f"'{evil}"]) == ("-0.5", "-inf")
    require("pandas")
    assert set(to_pandas(record)["run"]) == {evil}


def test_tensorboard_reads_its_log(files, tmp_path):
    require("tensorboard")
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

    export([*files, fpdrift.compare(*files)], tensorboard=tmp_path / "log")
    reader = EventMultiplexer(size_guidance={"scalars": 0})
    reader.AddRunsFromDirectory(str(tmp_path / "log"))
    reader.Reload()
    assert set(reader.Runs()) == {"one", "two", "two-against-one"}
    record = open_record(files[1])
    events = reader.Scalars("two", "loss")
    assert [event.step for event in events] == [1, 2, 3, 4]
    assert [event.value for event in events] == record.loss[1:].astype(np.float32).tolist()
    assert [event.step for event in reader.Scalars("one", "norm/w")] == [0, 1, 2, 3, 4]
    pair = fpdrift.compare(*files)
    far = [event.value for event in reader.Scalars("two-against-one", "distance")]
    assert far == pair.distance.astype(np.float32).tolist()


def test_each_line_is_a_metric_of_mlflow(files, tmp_path):
    (path, _) = export(files, mlflow=tmp_path)
    assert path.name == "one.jsonl"
    lines = [json.loads(line, parse_constant=pytest.fail) for line in path.read_text().splitlines()]
    assert {frozenset(line) for line in lines} == {frozenset(("key", "value", "timestamp", "step"))}
    record = open_record(files[0])
    losses = [(line["step"], line["value"]) for line in lines if line["key"] == "loss"]
    assert losses == list(zip(range(1, 5), record.loss[1:].tolist(), strict=True))
    assert [line["value"] for line in lines if line["key"] == "epoch/val_loss"] == ["NaN"]
    assert {line["key"] for line in lines if line["step"] == 0} == {"norm/w"}


def test_names_are_made_ones_that_mlflow_and_a_file_system_take(tmp_path):
    weights = np.ones(2, np.float32)
    writer = RecordWriter(
        tmp_path / "a b ~.fpdrift", [Tensor("dense/kernel#2", "weight", (2,), "float32", "whole")]
    )
    writer.add_step(0, [content_hash(weights)], values={0: weights})
    writer.finish()
    (path,) = export(tmp_path / "a b ~.fpdrift", mlflow=tmp_path)
    assert path.name == "a-b.jsonl"
    assert json.loads(path.read_text())["key"] == "norm/dense/kernel_2"


def test_a_strangers_name_leads_nowhere_else(files, tmp_path):
    pair = dataclasses.replace(fpdrift.compare(*files), name_a="../../etc/x", name_b="..")
    (path,) = export([pair], mlflow=tmp_path / "out")
    assert path.parent == tmp_path / "out"
    assert path.name == "against-..-..-etc-x.jsonl"


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_export_is_the_same_bytes(form, files, tmp_path):
    needs = {"parquet": "pyarrow", "tensorboard": "tensorboard"}
    if form in needs:
        require(needs[form])
    first, again = (export(files, **{form: tmp_path / name}) for name in ("first", "again"))
    assert [p.relative_to(tmp_path / "first") for p in first] == [
        p.relative_to(tmp_path / "again") for p in again
    ]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]


def test_nothing_is_replaced_without_being_told(files, tmp_path):
    (old,) = export(files, csv=tmp_path / "old.csv")
    old.write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FpdriftError, match=r"old.csv' already exists"):
        export(files, mlflow=tmp_path / "new", csv=old)
    assert old.read_text() == "mine"
    assert sorted(tmp_path.rglob("*")) == before  # the other format was not begun, no draft is left
    export(files, csv=old, overwrite=True)
    assert old.read_text().startswith("run,step,tensor,quantity,value\none.fpdrift,1,,loss,")


def test_what_cannot_be_written_leaves_nothing(files, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FpdriftError, match=r"cannot write '.*folder.csv': it is a folder"):
        export(files, csv=tmp_path / "folder.csv", overwrite=True)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("sources", "places", "said"),
    [
        ([], {"csv": "a.csv"}, "nothing to export"),
        ([3], {"csv": "a.csv"}, "cannot export 3; pass a record"),
        (["gone.fpdrift"], {"csv": "a.csv"}, "'gone.fpdrift' cannot be"),
        ([], {}, "choose from csv, parquet, tensorboard, mlflow"),
        ([], {"excel": "a.xls"}, r"formats \['excel'\]; choose from"),
        (["gone.fpdrift"], {"csv": ""}, "cannot be"),
    ],
)
def test_bad_input_is_refused(sources, places, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FpdriftError, match=said):
        export(sources, **places)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("module", "form"), [("pandas", None), ("pyarrow", "parquet"), ("tensorboard", "tensorboard")]
)
def test_a_missing_library_is_named(module, form, files, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without(module), *sys.meta_path])
    with pytest.raises(MissingExtraError, match=r"pip install 'fpdrift\[export\]'"):
        to_pandas(*files) if form is None else export(files, **{form: tmp_path / "out"})


class _Without:
    """A finder that finds one module to be missing."""

    def __init__(self, module):
        self.module = module

    def find_spec(self, name, *_):
        if name.split(".")[0] == self.module:
            raise ModuleNotFoundError(f"No module named {name!r}", name=self.module)


def test_the_command_exports_and_compares(files, tmp_path, capsys):
    out = tmp_path / "out.csv"
    argv = ["export", *map(str, files), "--csv", str(out), "--compare"]
    assert main(argv) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert "\ntwo.fpdrift against one.fpdrift,0,,distance," in out.read_text()
    assert main(argv) == 2
    assert capsys.readouterr().err == (
        f"fpdrift: '{tmp_path.name}/out.csv' already exists; "
        "choose another place, or use overwrite\n"
    )
    assert main([*argv, "--overwrite"]) == 0
    assert main(argv[:3]) == 2
    assert "choose from csv, parquet, tensorboard, mlflow" in capsys.readouterr().err
