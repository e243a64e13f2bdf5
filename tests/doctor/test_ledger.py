"""How a ledger merges and cuts its entries, and what two ledgers are compared by."""

import json
import sys

import pytest

from fpdrift.doctor import _draws
from fpdrift.doctor._draw_digests import digest_of
from fpdrift.doctor._draw_places import LIBRARY, OURS, STANDARD, TEXT, USER, Places
from fpdrift.doctor._draws import Ledger
from fpdrift.doctor._first_draw import first_difference
from fpdrift.errors import FpdriftError


def ledger_of(*draws):
    """Enter draws given as (call, line, value), and seeds as (call, line, seed, "seed")."""
    ledger = Ledger()
    for call, line, value, *seed in draws:
        event = "seed" if seed else "draw"
        key = (event, "python", call, "train.py", line, 0, None, str(value) if seed else None)
        ledger._enter(key, digest_of(value))
    return ledger


def difference(first, second):
    """The first difference of two ledgers, by way of JSON."""
    texts = [json.dumps(ledger_of(*draws).entries) for draws in (first, second)]
    return first_difference(*map(json.loads, texts))


def test_consecutive_draws_of_one_call_and_place_are_one_entry():
    ledger = ledger_of(("a", 1, 0.5), ("a", 1, 0.25), ("a", 2, 0.5), ("a", 1, 0.5))
    assert [(e["line"], e["count"]) for e in ledger.entries] == [(1, 2), (2, 1), (1, 1)]
    two, _, one = ledger.entries
    assert two["digests"] == [digest_of(0.5).hex(), digest_of(0.25).hex()]
    assert one["digest"] == digest_of(0.5).hex()
    assert "digests" not in one


def test_an_entry_holds_the_first_thousand_digests_and_one_of_all():
    draws = [("a", 1, value) for value in range(5000)]
    last = [*draws[:-1], ("a", 1, -1)]
    [entry], [other] = ledger_of(*draws).entries, ledger_of(*last).entries
    assert entry["count"] == 5000
    assert entry["digests"] == other["digests"] == [digest_of(i).hex() for i in range(1000)]
    assert entry["digest"] != other["digest"]
    found = difference(draws, last)
    assert (found.kind, found.index) == ("other values", None)


@pytest.mark.parametrize("index", [1, 2, 1000])
def test_the_first_differing_draw_of_an_entry_is_numbered(index):
    draws = [("a", 1, value) for value in range(1200)]
    changed = [*draws[: index - 1], ("a", 1, -1), *draws[index:]]
    found = difference(draws, changed)
    assert (found.kind, found.index) == ("other values", index)
    assert (f"draw {index:,} at this place" in found.sentence) == (index > 1)


def test_a_full_ledger_keeps_one_digest_of_the_rest(monkeypatch):
    monkeypatch.setattr(_draws, "MOST_ENTRIES", 3)
    draws = [("a", line, 0.5) for line in range(10)]
    entries = ledger_of(*draws).entries
    assert [entry["event"] for entry in entries] == ["draw"] * 3 + ["rest"]
    assert entries[-1]["count"] == 7
    assert difference(draws, draws) is None
    for other in ([*draws[:-1], ("a", 9, 0.25)], draws[:-1], [*draws[:-1], ("a", 10, 0.5)]):
        found = difference(draws, other)
        assert (found.kind, found.call) == ("other values", "")
        assert found.sentence.startswith("The draws differ after")


def test_a_ledger_without_room_for_digests_still_sees_a_difference(monkeypatch):
    monkeypatch.setattr(_draws, "MOST_DIGESTS_IN_ALL", 2)
    draws = [("a", line, value) for line in range(3) for value in range(3)]
    entries = ledger_of(*draws).entries
    assert ["digests" in entry for entry in entries] == [True, False, False]
    assert difference(draws, draws) is None
    found = difference(draws, [*draws[:-1], ("a", 2, -1)])
    assert (found.kind, found.line, found.index) == ("other values", 2, None)


def test_a_loop_of_several_draws_shows_which_one_is_missing():
    loop = [("a", 1, 0), ("b", 2, 0)] * 10
    for i, (call, line, _) in enumerate(loop[:12]):
        found = difference(loop, loop[:i] + loop[i + 1 :])
        assert (found.kind, found.run, found.call, found.line) == ("one more", 1, call, line)
        found = difference(loop[:i] + loop[i + 1 :], loop)
        assert (found.kind, found.run, found.call, found.line) == ("one more", 2, call, line)


def test_one_more_of_many_is_numbered():
    found = difference([("a", 1, i) for i in range(4)], [("a", 1, i) for i in range(6)])
    assert (found.kind, found.run, found.index) == ("one more", 2, 5)


def test_two_draws_in_a_different_order():
    rest = [("c", 3, 0), ("d", 4, 0)] * 4
    found = difference([("a", 1, 0), ("b", 2, 0), *rest], [("b", 2, 0), ("a", 1, 0), *rest])
    assert (found.kind, found.call, found.instead) == ("other order", "a", "b at train.py:2")


def test_a_draw_at_another_place():
    rest = [("c", 3, 0), ("d", 4, 0)] * 4
    found = difference([("a", 1, 0), *rest], [("a", 9, 0), *rest])
    assert (found.kind, found.line, found.instead) == ("other place", 1, "a at train.py:9")


def test_no_draws_at_all_are_no_difference():
    assert difference([], []) is None
    found = difference([], [("a", 1, 0)])
    assert (found.kind, found.run, found.index) == ("one more", 2, 1)


SENTENCES = [
    (
        [("random.random", 3, 1)],
        [("random.random", 3, 2)],
        "random.random at train.py:3 returns different values in the two runs. "
        "Python's generator had not been seeded before.",
    ),
    (
        [("random.seed", 1, 5, "seed"), ("random.random", 3, 1), ("random.random", 3, 1)],
        [("random.seed", 1, 5, "seed"), ("random.random", 3, 1), ("random.random", 3, 2)],
        "random.random at train.py:3 returns different values in the two runs, draw 2 at this "
        "place. Python's generator was seeded at train.py:1. Either its arguments differ, or "
        "something that is not recorded drew from it.",
    ),
    (
        [("random.seed", 1, 5, "seed")],
        [("random.seed", 1, 6, "seed")],
        "random.seed at train.py:1 has seed 5 in run 1 and 6 in run 2.",
    ),
    (
        [("random.seed", 1, 5, "seed")],
        [("random.seed", 1, 5, "seed"), ("random.random", 3, 1)],
        "Run 2 draws once more: random.random at train.py:3. "
        "Python's generator was seeded at train.py:1.",
    ),
]


@pytest.mark.parametrize(("first", "second", "sentence"), SENTENCES)
def test_the_sentence(first, second, sentence):
    assert difference(first, second).sentence == sentence


def test_a_second_ledger_in_a_process_is_refused(monkeypatch):
    monkeypatch.setattr(Ledger, "_installed", True)
    with pytest.raises(FpdriftError, match="already installed"):
        Ledger().install(None)


def test_whose_code_a_file_holds(tmp_path):
    places = Places(str(tmp_path))
    files = {
        str(tmp_path / "train.py"): USER,
        "<ipython-input-1-abc>": USER,
        "<string>": TEXT,
        pytest.__file__: LIBRARY,
        "/tmp/__autograph_generated_file12.py": LIBRARY,
        json.__file__: STANDARD,
        "<frozen importlib._bootstrap>": STANDARD,
        _draws.__file__: OURS,
    }
    assert {file: places.kind(file) for file in files} == files


def test_places_are_relative_to_the_script_s_folder(tmp_path):
    def caller():
        return sys._getframe()

    file, line = Places(str(tmp_path)).of(caller())
    assert file == caller.__code__.co_filename.replace("\\", "/")
    assert line == caller.__code__.co_firstlineno + 1
    inside = compile("import sys\nframe = sys._getframe()", str(tmp_path / "a" / "b.py"), "exec")
    names = {}
    exec(inside, names)
    assert Places(str(tmp_path)).of(names["frame"])[0] == "a/b.py"
