"""What `make lessons-full` runs says which lesson is wrong or too slow."""

import pytest
from helpers import require


@pytest.mark.check
@pytest.mark.slow
def test_a_lesson_that_takes_too_long_is_a_fault(monkeypatch, capsys):
    for module in ("nbclient", "ipykernel"):
        require(module)
    import whole_lessons

    monkeypatch.setenv("FPDRIFT_FAST", "1")
    monkeypatch.setattr("sys.argv", ["whole_lessons.py", "01"])
    monkeypatch.setattr(whole_lessons, "MOST_SECONDS", 0)
    assert whole_lessons.main() == 1
    (told,) = capsys.readouterr().out.splitlines()
    assert told.startswith("01_order ")
    assert told.endswith(" s took too long"), "and nothing in it is wrong"
