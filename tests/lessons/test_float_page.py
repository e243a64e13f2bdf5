"""The page with one float: not stale, self-contained, and its arithmetic that of `anatomy`."""

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from contrast import contrast
from helpers import missing

import fpdrift
from fpdrift.floats import FORMATS, facts, from_bits
from fpdrift.lessons.widgets import COLOURS

FIGURES = Path(__file__).parents[2] / "figures"
PAGE = (FIGURES / "float.html").read_text(encoding="utf-8")
TYPED = (
    # ties: in float16, bfloat16 and float64
    *("2049", "2051", "257", "259", "9007199254740993", "9007199254740995"),
    "0.1",
    "1/3",
    "-2.5",
    "1e-400",
    "1e400",
    "-0",
    "nan",
    "-inf",
    "5e-324",
    "65519.999",
    "7e-8",
)


@pytest.fixture(scope="module")
def builder():
    spec = importlib.util.spec_from_file_location("float_page", FIGURES / "float_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_not_stale(builder, monkeypatch):
    assert builder.page() == PAGE
    monkeypatch.setattr("sys.argv", ["float_page.py", "--check"])
    assert builder.main() == 0
    monkeypatch.setitem(COLOURS, "s", ("#000000", "#FFFFFF"))
    assert builder.main() == 1


def test_the_page_needs_nothing_else():
    assert not re.search(r"https?:|src=|href=|@import|url\(|fetch\(|import\(", PAGE)


@pytest.mark.parametrize("letter", COLOURS)
def test_digits_stand_out(letter):
    """WCAG 2.1: at least 4.5 to 1 for text, 3 to 1 between the states of a control."""
    full, light = COLOURS[letter]
    assert contrast(full) >= 4.5
    assert contrast(light, "#000000") >= 4.5
    assert contrast(full, light) >= 3


def samples(fmt):
    rng = np.random.default_rng(1)
    edges = [0, 1, fmt.infinity_bits - 1, fmt.infinity_bits, fmt.infinity_bits + 1]
    edges += [1 << fmt.fraction_bits, (1 << fmt.fraction_bits) - 1]
    drawn = (
        [int(b) for b in rng.integers(0, 1 << fmt.bits, 30, np.uint64, endpoint=False)]
        if (fmt.bits < 64)
        else [int(b) for b in rng.integers(0, 2**64, 30, np.uint64)]
    )
    return [*edges, *(edge | fmt.sign_bit for edge in edges), *drawn]


def test_the_page_computes_what_anatomy_does():
    node = shutil.which("node")
    if node is None:
        missing("node is not installed")
    logic = re.search(r"const DATA = .*?// facts end", PAGE, re.DOTALL).group()
    asked = {name: [str(b) for b in samples(fmt)] for name, fmt in FORMATS.items()}
    code = f"""{logic}
    const asked = {json.dumps(asked)}, typed = {json.dumps(TYPED)}, told = {{}};
    for (const name of Object.keys(asked)) {{
      const f = formatOf(name);
      told[name] = asked[name].map((b) => {{
        const up = neighbour(BigInt(b), f, true), down = neighbour(BigInt(b), f, false);
        const back = readNumber(shortest(BigInt(b), f), f);
        return [facts(BigInt(b), f), String(up), String(down), String(back)];
      }});
      told[name].push(typed.map((text) => String(readNumber(text, f))));
    }}
    console.log(JSON.stringify(told));"""
    done = subprocess.run([node, "-e", code], capture_output=True, text=True, check=True)
    for name, (*rows, typed) in json.loads(done.stdout).items():
        fmt = FORMATS[name]
        for bits, (said, up, down, back) in zip(samples(fmt), rows, strict=True):
            of = fpdrift.anatomy(from_bits(bits, fmt), name)
            wanted = facts(of)
            assert said["exact"] == wanted["exact"]
            assert said.get("formula") == wanted.get("formula")
            assert said["value"].endswith(f"({of.kind})")
            assert (said.get("ulp") or "").split()[:1] == (wanted.get("ulp") or "").split()[:1]
            for text, other in ((up, of.above), (down, of.below)):
                if other is None:
                    assert text == "null"
                elif other != 0:
                    assert from_bits(int(text), fmt) == other
            if of.kind != "nan":
                assert int(back) == bits
        for text, read in zip(TYPED, typed, strict=True):
            wanted = fpdrift.anatomy("NaN" if text == "nan" else text, name)
            assert from_bits(int(read), fmt).tobytes() == wanted.value.tobytes(), text
