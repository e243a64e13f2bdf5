"""A wait shows on a terminal that something happens, and nothing in a pipe."""

import io
import sys

from fpdrift.cli.progress import reporting, waiting


class Terminal(io.StringIO):
    """Keeps what a terminal would show."""

    def isatty(self):
        return True


def terminal(monkeypatch):
    """Put a terminal in place: in the test itself, as pytest sets standard error before it."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "stderr", Terminal())
    return sys.stderr


def test_a_bar_is_there_before_the_first_report(monkeypatch):
    shown_on = terminal(monkeypatch)
    with reporting():
        pass
    shown = shown_on.getvalue()
    assert "starting" in shown
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l"), "the cursor stays hidden"


def test_the_first_report_takes_the_place_of_the_start(monkeypatch):
    shown_on = terminal(monkeypatch)
    with reporting() as report:
        report("run 1", 0, 10)
    last = shown_on.getvalue().rpartition("run 1")[2]
    assert "0/10" in last
    assert "starting" not in last


def test_a_wait_without_reports_is_shown(monkeypatch):
    shown_on = terminal(monkeypatch)
    with waiting("drawing"):
        pass
    assert "drawing ..." in shown_on.getvalue()


def test_a_pipe_stays_empty_until_something_is_reported(capsys):
    with reporting(), waiting("drawing"):
        pass
    assert capsys.readouterr() == ("", "")
    with reporting() as report:
        report("run 1", 0, 10)
        report("run 1", 1, 10)
    assert capsys.readouterr().err == "  run 1 ...\n"
