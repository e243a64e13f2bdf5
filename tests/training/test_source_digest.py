"""Which changes of fpdrift's source make a finished training another one."""

import ast
import io
import shutil
import tokenize
from pathlib import Path

import pytest

import fpdrift
from fpdrift.training._source_digest import DECIDING, bare, training_code

PACKAGE = Path(fpdrift.__file__).parent
#: What deciding files may use that decides nothing: checks, errors, what serves measurements.
BESIDE = {
    *("fpdrift.validation", "fpdrift.errors", "fpdrift.subprocesses", "fpdrift.provenance"),
    *(f"fpdrift.backends.{name}" for name in ("autodiff", "summing_functions")),
    *("fpdrift.records._sandbox", "fpdrift.serialization", "fpdrift.training._source_digest"),
}
#: Files that decide nothing and are changed here.
OTHERS = ("cli/compare.py", "comparison/_many.py", "ensembles/_ensemble.py")


def deciding_files():
    for place in (PACKAGE / name for name in DECIDING):
        yield from place.rglob("*.py") if place.is_dir() else [place]


@pytest.fixture
def copy(tmp_path):
    for path in (*deciding_files(), *(PACKAGE / name for name in OTHERS)):
        place = tmp_path / path.relative_to(PACKAGE)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    return tmp_path


def digest(root):
    training_code.cache_clear()
    return training_code(root)


@pytest.fixture(scope="module")
def before():
    return digest(PACKAGE)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("cli/compare.py", "_LONGEST = 48", "_LONGEST = 47"),
        ("comparison/_many.py", "most_common(1)", "most_common(2)"),
        ("ensembles/_ensemble.py", "MOST_TRIES = 100", "MOST_TRIES = 99"),
        ("training/_networks.py", '"""', '"""Other words. '),
        ("training/_protocol.py", "BATCH = 64", "BATCH = 64  # samples\n\n# more words\n"),
    ],
)
def test_what_decides_no_training_leaves_the_digest(copy, before, name, old, new):
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new, 1))
    assert digest(copy) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("training/_networks.py", "0.25", "0.26"),
        ("training/_protocol.py", "BATCH = 64", "BATCH = 65"),
        ("perturbation/_nudge.py", "return drawn", "return -drawn"),
        ("records/_format.py", "EVERY = 8", "EVERY = 9"),
        ("recorder/_state.py", "#{count", "-{count"),
    ],
)
def test_what_decides_a_training_changes_the_digest(copy, before, name, old, new):
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new, 1))
    assert digest(copy) != before


def test_deciding_files_use_only_deciding_ones():
    """A module that is moved out of a deciding file must not leave the digest unnoticed."""
    modules = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in deciding_files()
    }
    for path in deciding_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("fpdrift"):
                used = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
                rooms = {"fpdrift", "fpdrift.floats", "fpdrift.backends", "fpdrift.records"}
                assert used & (modules | BESIDE) or node.module in rooms, (path, node.module)


def words(source, without=()):
    """Give the tokens of a program that do something, but for strings that start there."""
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    return [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in layout and token.start not in without
    ]


def test_cutting_leaves_every_statement():
    """Against the syntax tree, which knows statements that are a string alone by their place."""
    for path in deciding_files():
        source = path.read_text()
        alone = {
            (node.lineno, node.col_offset)
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        }
        cut = bare(source)
        assert words(cut) == words(source, alone), path
        assert "" not in cut.split("\n"), path


def test_strings_that_are_values_stay():
    source = (
        '"""Doc."""\nx = """a\n# b\n"""  # c\n"a".strip()\n\n\ndef f(y="# d"):\n'
        '    """Doc\n\n    more."""\n    return y\n'
    )
    assert bare(source) == ('x = """a\n# b\n"""\n"a".strip()\ndef f(y="# d"):\n    return y')
