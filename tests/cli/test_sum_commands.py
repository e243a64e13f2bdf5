"""``fpdrift sums``, ``threads``, ``batch``, ``gpu``, ``record-gpu``: screens, files, bad input."""

import subprocess
import sys

import pytest
from reduction_results import gpu_recording, gpu_run, gpu_sums, reduction_results

from fpdrift.cli.main import main
from fpdrift.cli.screens import screen
from fpdrift.serialization import Result

#: Small enough to run in no time.
FAST = {
    "sums": "sums --n 50 --orders 3 --repeats 1",
    "sums-many": "sums --n 50 --orders 2 --conditions 1e1,1e2,1e3,1e4,1e5",
    "threads": "threads --n 1000 --chunks 8 --tries 3 --threads 1,2",
    "matmul": "threads --operation matmul --n 64 --chunks 4 --tries 2",
    "growth": "threads --growth --n 64,256 --chunks 4,16 --tries 2 --threads 2",
    "strategies": "threads --strategies --n 1000 --chunks 4 --tries 2",
    "orders": "threads --orders 50 --n 100 --chunks 4 --tries 2",
    "gpu": "gpu --sizes 1000,5000 --tries 5",
}
RESULTS = dict(reduction_results())


@pytest.mark.parametrize("name", FAST)
def test_screen_json_and_picture_come_from_one_result(capsys, tmp_path, name):
    saved, picture = tmp_path / "result.json", tmp_path / "picture.svg"
    assert main([*FAST[name].split(), "--json", str(saved), "--plot", str(picture)]) == 0
    captured = capsys.readouterr()
    printed = captured.out.splitlines()
    assert max(map(len, printed)) <= 80, max(printed, key=len)
    assert screen(Result.from_json(saved.read_text())) == printed
    assert picture.stat().st_size > 2000
    assert captured.err.splitlines()[-1] == f"Saved: {saved}, {picture}"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["picture.svg", "result.json"]


@pytest.mark.parametrize("name", ["sums", "orders"])
def test_json_alone_on_standard_output(capsys, name):
    assert main([*FAST[name].split(), "--json", "-"]) == 0
    assert Result.from_json(capsys.readouterr().out)


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_fits_into_80_columns(name):
    lines = screen(RESULTS[name])
    assert lines
    assert max(map(len, lines)) <= 80, max(lines, key=len)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["sums", "--n", "5"], ["n is 5"]),
        (["sums", "--n", "many"], ["--n", "many"]),
        (["sums", "--dtype", "float8"], ["float8", "float32"]),
        (["sums", "--conditions", "1e2,big"], ["--conditions", "1e2,big"]),
        (["sums", "--conditions", "0.5"], ["0.5"]),
        (["sums", "--conditions", "nan"], ["nan"]),
        (["sums", "--seed", "-1"], ["seed", "-1"]),
        (["sums", "--plot", "x.jpg"], ["x.jpg", ".png"]),
        (["sums", "--plot", "no/such/x.png"], ["no/such/x.png", "another place"]),
        (["sums", "--json", "."], ["folder"]),
        (["sums", "--json", ""], ["--json"]),
        (["threads", "--operation", "cats"], ["cats", "histogram"]),
        (["threads", "--n", "3,4"], ["--n", "3,4"]),
        (["threads", "--n", "1,,2"], ["--n", "''"]),
        (["threads", "--n", "0"], ["n is 0"]),
        (["threads", "--chunks", "0"], ["chunks is 0"]),
        (["threads", "--threads", "0"], ["threads is 0"]),
        (["threads", "--dtype", "float16"], ["float16"]),
        (["threads", "--orders", "10", "--growth"], ["--orders"]),
        (["threads", "--orders", "10", "--operation", "dot"], ["--orders", "dot"]),
        (["threads", "--orders", "0"], ["orders is 0"]),
        (["threads", "--growth", "--operation", "matmul"], ["matmul"]),
        (["threads", "--growth", "--n", "4", "--chunks", "8"], ["chunks"]),
        (["batch", "--operations", "cats"], ["cats", "matmul"]),
        (["batch", "--libraries", "cats"], ["cats", "numpy"]),
        (["batch", "--batches", "0"], ["0"]),
        (["batch", "--timeout", "-1"], ["-1"]),
        (["batch", "--conditions", "--operations", ""], ["''"]),
        (["gpu", "--origin", "cats"], ["cats", "simulated"]),
        (["gpu", "--origin", "recorded", "--name", "cats"], ["cats", "record-gpu"]),
        (["gpu", "--origin", "live", "--library", "cats"], ["cats", "torch"]),
        (["gpu", "--sizes", "0"], ["0"]),
        (["gpu", "--tries", "0"], ["tries is 0"]),
        (["gpu", "--dtype", "int8"], ["int8"]),
        (["gpu", "--distribution", "cats"], ["cats", "normal"]),
        (["record-gpu"], ["FILE"]),
        (["record-gpu", "no/such/x.json"], ["x.json", "another place"]),
        (["record-gpu", "x.json", "--library", "cats"], ["cats", "torch"]),
        (["reveal"], ["name a function"]),
        (["reveal", "numpy"], ["numpy", "module:function"]),
        (["reveal", "numpy:sum", "--n", "0"], ["n is 0"]),
        (["reveal", "numpy:sum", "--n", "20000", "--plot", "x.png"], ["20000", "--plot"]),
        (["reveal", "numpy:sum", "--max-probes", "0"], ["max-probes is 0"]),
        (["reveal", "numpy:sum", "--dtype", "int8"], ["int8", "float32"]),
        (["reveal", "numpy:einsum", "--dtype", "bfloat16"], ["numpy:einsum", "bfloat16"]),
        (["reveal", "numpy:sum", "--kind", "cats"], ["cats", "matmul"]),
    ],
)
def test_bad_input_is_one_line_that_names_the_value(capsys, tmp_path, monkeypatch, argv, words):
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("fpdrift: ")
    assert "usage" not in lines[0]
    assert all(word in lines[0] for word in words), lines[0]
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("argv", [["reveal", "--list"], ["sums", "--n", "6", "--orders", "1"]])
def test_a_reader_that_goes_away_is_no_fault(argv):
    code = "import sys; from fpdrift.cli.main import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    errors = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(60) == 0
    assert "Traceback" not in errors
    assert "Exception" not in errors


@pytest.mark.parametrize("origin", ["simulated", "live", "recorded"])
def test_each_gpu_screen_says_first_where_it_comes_from(origin):
    result = gpu_sums(gpu_run(n=100), gpu_run(), origin=origin)
    label = screen(result)[0].strip()
    assert label.lower().startswith(origin)
    assert label[1:].startswith(result.label[1:])


def test_a_gpu_recording_tells_its_sums_trees_and_gaps():
    lines = screen(gpu_recording())
    assert lines[0].strip().startswith("Recorded: Planted GPU")
    assert any(
        line.strip() == "Recorded: the order of a TF32 product of 16 terms is confirmed."
        for line in lines
    )
    assert any("Skipped: float8 (planted reason)." in line for line in lines)


@pytest.mark.slow
def test_an_operation_of_ones_own_lies_in_the_current_folder(capsys, tmp_path, monkeypatch):
    (tmp_path / "rows_here.py").write_text("def double(x):\n    return x * 2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [place for place in sys.path if place])
    argv = ["batch", "--libraries", "numpy", "--batches", "1,2", "--operations"]
    assert main([*argv, "rows_here:double"]) == 0
    assert "rows_here:double" in "".join(capsys.readouterr().out.split("  "))
    assert main([*argv, "rows_here:gone"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()[-1:]) == 1


@pytest.mark.slow
def test_batches_of_numpy(capsys, tmp_path):
    saved = tmp_path / "batch.json"
    argv = ["batch", "--libraries", "numpy", "--operations", "softmax", "--batches", "1,8"]
    assert main([*argv, "--json", str(saved)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert screen(Result.from_json(saved.read_text())) == printed
    assert max(map(len, printed)) <= 80
    assert "numpy softmax" in "".join(printed)


def test_errors_that_grow_with_the_numbers(capsys, tmp_path):
    saved = tmp_path / "growth.json"
    assert main(["sums", "--growth", "10,20", "--json", str(saved)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert screen(Result.from_json(saved.read_text())) == printed
    assert max(map(len, printed)) <= 80
    assert main(["sums", "--growth", "5"]) == 2
    assert "n is 5" in capsys.readouterr().err
