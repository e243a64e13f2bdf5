"""A library's start is not heard; what comes before and after it is."""

import os

import pytest

from fpdrift.backends.devices import quiet


def test_only_what_is_inside_is_dropped(capfd):
    os.write(2, b"before ")
    with quiet():
        os.write(2, b"inside ")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


def test_a_failure_gives_stderr_back(capfd):
    with pytest.raises(KeyError), quiet():
        raise KeyError
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
