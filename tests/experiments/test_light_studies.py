"""The experiments that lessons on floats, sums, trees and GPUs tell: they run, and fit a screen."""

import pytest

from fpdrift.cli.main import main
from fpdrift.experiments import Settings, study


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("float", "0.1 in float64 is exactly"),
        ("sums", " algorithms gave a single result for 1,000 float32 numbers"),
        ("trees", "The order in which numpy:sum adds 16 float32 numbers is "),
        ("gpu", "Simulated GPU: "),
    ],
)
def test_it_runs_and_fits_a_screen(name, holds, capsys):
    assert main(["experiment", name]) == 0
    printed = capsys.readouterr().out
    assert holds in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_the_full_size_of_sums_is_larger():
    quick, full = (study("sums").run(Settings(full=full)) for full in (False, True))
    assert full.n > quick.n
