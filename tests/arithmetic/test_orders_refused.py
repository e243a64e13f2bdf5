"""What `orders` refuses: always one line that names the place."""

import numpy as np
import pytest

from fpdrift.arithmetic import orders
from fpdrift.errors import FpdriftError

KNOWN = "use numbers, names, + - * / and parentheses"


@pytest.mark.parametrize(
    ("expression", "column", "piece"),
    [
        ("1+f(2)", 3, "f(2)"),
        ("1+__import__('os').system('true')", 3, "__import__('os').system('true')"),
        ("2*x.real", 3, "x.real"),
        ("3+2**3", 3, "2**3"),
        ("10**999999999", 1, "10**999999999"),
        ("1+7%2", 3, "7%2"),
        ("1+7//2", 3, "7//2"),
        ("1+(2<3)", 4, "2<3"),
        ("1+'a'", 3, "'a'"),
        ("1+b'a'", 3, "b'a'"),
        ("1+f'{2}'", 3, "f'{2}'"),
        ("1+2j", 3, "2j"),
        ("1+x[0]", 3, "x[0]"),
        ("1+[2]", 3, "[2]"),
        ("1+True", 3, "True"),
        ("1+None", 3, "None"),
        ("1+...", 3, "..."),
        ("1+(+3)", 4, "+3"),
        ("1+~3", 3, "~3"),
        ("1+(2 if 3 else 4)", 4, "2 if 3 else 4"),
        ("1+(lambda: 2)", 4, "lambda: 2"),
        ("1@2", 1, "1@2"),
        ("1<<2", 1, "1<<2"),
        ("(x := 2)", 2, "x := 2"),
        ("1,2", 1, "1,2"),
        ("1 + 2 # three", 7, "#"),
        ("1+\n2", 3, "\n"),
        ("1+\\\n2", 3, "\\"),
        ("1\x00", 2, "\x00"),
        ("  é+f(2)", 5, "f(2)"),
    ],
)
def test_what_is_no_arithmetic_is_refused_at_its_place(expression, column, piece):
    names = {"é": 1, "x": 2} if "é" in expression else {"x": 2} if "x" in expression else {}
    with pytest.raises(FpdriftError) as caught:
        orders(expression, **names)
    message = str(caught.value)
    assert f", column {column}, at {piece!r}: {KNOWN}" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "expression",
    ["1+", "((1", "1)+(2", "1 2", "*1", "1/", "()", "1_", "0777", "1and 2", "x=1", "(" * 900],
)
def test_what_python_cannot_read_is_refused(expression):
    with pytest.raises(FpdriftError, match=r"column \d+, at .*: ") as caught:
        orders(expression)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1+1e999999", "column 3, at '1e999999': .* outside the range of every format"),
        ("2*1e400", "column 3, at '1e400': too large for float64"),
        ("9" * 400, "column 1, at '999.*: too large for float64"),
        ("1+2+3+4+5+6+7+8", "column 15, at '8': keep to 7 operands"),
        ("1+2*(3+4/(5-6*(7-8)))", "column 18, at '8': keep to 7 operands"),
        ("()+" * 300 + "()", "column 22, at '.*': keep to 7 operands"),
        ("1+" * 600 + "1", "the expression has 1201 characters; keep to 1000"),
        ("2*width/9", "column 3, at 'width': unknown name; pass it as width=..."),
        ("", "the expression is empty"),
        (" \t ", "the expression is empty"),
        ("1+" + "w" * 900, "pass it as w{40}=...$"),
        (None, "the expression must be a string such as .*, not None"),
        (22 / 9, "the expression must be a string .*, not 2.4444"),
        (b"2*11/9", "the expression must be a string .*, not b'2"),
    ],
)
def test_too_much_too_large_or_unknown_is_refused(expression, message):
    with pytest.raises(FpdriftError, match=message) as caught:
        orders(expression)
    assert len(str(caught.value)) < 260


def test_what_is_too_large_depends_on_the_dtype():
    assert orders("1e5").orders[0].value == 1e5
    with pytest.raises(FpdriftError, match="at '1e5': too large for float16"):
        orders("1e5", dtype="float16")


def test_names_are_checked():
    with pytest.raises(FpdriftError, match=r"^'x': not a real number: 'two'$"):
        orders("x*11/9", x="two")
    with pytest.raises(FpdriftError, match=r"^'y' does not occur in 'x'; leave it out$"):
        orders("x", x=1, z=2, y=3)
    with pytest.raises(FpdriftError, match="unknown dtype 'float8'"):
        orders("2*11/9", dtype="float8")
    for name in ("x" * 5000, "two\nlines"):
        for value, why in ((1, "does not occur"), ("two", "not a real number")):
            with pytest.raises(FpdriftError, match=why) as caught:
                orders("2*11/9", **{name: value})
            assert "\n" not in str(caught.value)
            assert len(str(caught.value)) < 200


@pytest.mark.parametrize("reciprocals", ["no", 0, None, 2, np.ones((3, 3), bool)], ids=repr)
def test_reciprocals_is_true_or_false(reciprocals):
    with pytest.raises(FpdriftError, match="reciprocals must be True or False, not") as caught:
        orders("2*11/9", reciprocals=reciprocals)
    assert "\n" not in str(caught.value)
    assert orders("2/3", reciprocals=np.True_).reciprocals is True


def test_with_reciprocals_one_operand_less_is_allowed():
    expression = "2/3-5+7*11*13-17"
    assert len(orders(expression).orders) > len(orders(expression[:-3]).orders)
    with pytest.raises(FpdriftError, match="column 15, at '17': keep to 6 operands"):
        orders(expression, reciprocals=True)


def test_a_long_chain_of_signs_is_read():
    assert orders("-" * 901 + "2").orders[0].value == -2


def test_nothing_is_run(tmp_path):
    target = tmp_path / "touched"
    with pytest.raises(FpdriftError):
        orders(f"open({str(target)!r}, 'w').close() or 1")
    assert not target.exists()
