"""Words are broken into rows that fit, in the largest size that does."""

import pytest

from fpdrift.plotting import fit_foot, fit_title, fit_words
from fpdrift.plotting._pages import fit

WORDS = ["every", "order", "of", "the", "same", "sum", "is", "equal", "on", "paper"]


def rows(paragraphs):
    return [row for paragraph in paragraphs for row in paragraph.rows]


@pytest.mark.parametrize("count", [1, 5, 15, 25])
def test_no_word_is_lost_and_the_more_the_smaller(count):
    words = (WORDS * 9)[:count]
    found = fit_title([" ".join(words), "a line below"])
    assert " ".join(rows(found)).split() == [*words, "a", "line", "below"]
    assert sum(len(it.rows) * it.size * 1.2 for it in found) <= 72
    longer = fit_title([" ".join((WORDS * 9)[: count + 5]), "a line below"])
    assert longer[0].size <= found[0].size <= 30
    assert found[1].size == max(18, round(found[0].size * 2 / 3))
    assert (found[0].bold, found[1].bold) == (True, False)


def test_a_title_is_a_little_smaller_rather_than_two_rows():
    found = fit_title(["Equal on paper: one loop rounds once a step, the other twice"])
    assert len(rows(found)) == 1
    assert 24 <= found[0].size < 30


def test_what_fits_in_no_size_is_cut_and_marked():
    found = fit_title([" ".join(40 * WORDS), "never seen"])
    assert len(found) == 1
    assert found[0].size == 18
    assert rows(found)[-1].endswith("…")
    assert len(rows(found)) == 3


def test_a_paragraph_that_is_cut_whole_is_marked_too():
    found = fit(["one", "two", "three"], 9.0, 0.6, [18])
    assert rows(found) == ["one", "tw…"]


def test_a_foot_is_one_row():
    assert rows(fit_foot("2 cores")) == ["2 cores"]
    assert len(rows(fit_foot(" ".join(20 * WORDS)))) == 1


def test_a_command_keeps_its_indent_and_an_empty_line_its_row():
    assert rows(fit_words(["make demo", "    all of it", "", "next"])) == [
        *("make demo", "    all of it", "", "next"),
    ]


def test_a_word_that_fits_in_no_row_has_one_of_its_own():
    assert rows(fit(["a " + 40 * "b" + " c"], 1.0, 9.0, [18])) == ["a", 40 * "b", "c"]
