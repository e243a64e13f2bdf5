"""The search for a cause, on scripts whose runs are made up: what is tried, in which order."""

from pathlib import Path

import pytest

from fpdrift.doctor import _examine
from fpdrift.doctor._evidence import Candidate
from fpdrift.doctor._examine import MOST_RUNS, _Search
from fpdrift.doctor._run import Trace


class Patient:
    """A script whose result depends on the sources that are still there.

    Parameters
    ----------
    *causes : str
        Interventions, each of which takes one source away.
    fails_with : str
        Intervention under which the script raises.
    lucky : iterable of int
        Numbers of runs that end alike although a source is left.
    left : iterable of Path
        Files that every run leaves.
    """

    script = Path("train.py")

    def __init__(self, *causes, fails_with=None, left=(), lucky=()):
        self.lucky = set(lucky)
        self.causes, self.fails_with, self.left = set(causes), fails_with, frozenset(left)
        self.traces = []

    def pair(self, interventions, _pinned=()):
        return self.trace(interventions), self.trace(interventions)

    def trace(self, interventions, **more):
        number = len(self.traces) + 1
        failed = self.fails_with in interventions
        random = self.causes - set(interventions) and number not in self.lucky
        given = {
            "number": number,
            "interventions": tuple(interventions),
            "folder": Path("run"),
            "seconds": 1.0,
            "ended": "raised ValueError: no" if failed else "finished",
            "line": 3 * failed,
            "digest": f"random {number}" if random else "same",
            "steps": 8,
            "cpu": 1.0,
            "events": [],
            "draws": [],
            "keras": True,
            "left": self.left,
        }
        self.traces.append(Trace(**(given | more)))
        return self.traces[-1]

    def one(self, interventions, _pinned=()):
        return self.trace(interventions)

    def again(self, trace, _pinned=()):
        return self.trace(trace.interventions, digest="other")


def candidate(intervention, kind="unseeded generator", line=1):
    return Candidate(kind, "something", "train.py", line, intervention)


@pytest.fixture
def searched(monkeypatch):
    """Search, with what the evidence would name before each pair of runs."""

    def search(patient, *named, hashes=()):
        monkeypatch.setattr(_examine, "candidates", lambda *_, **__: list(named))
        monkeypatch.setattr(_examine, "difference", lambda *_: None)
        found = _Search(patient, (), hashes=tuple(hashes))
        found.run()
        return found.result("train.py", ())

    return search


def seen(result):
    return [cause.interventions for cause in result.causes]


def test_equal_runs_need_two(searched):
    result = searched(Patient())
    assert (result.conclusion, len(result.runs), result.causes) == ("repeats", 2, ())
    assert result.finding == "train.py repeats: 2 runs ended with the same bits after 8 steps."


def test_runs_for_the_scale_are_not_counted_as_equal(monkeypatch):
    monkeypatch.setattr(_examine, "distance", lambda *_: 0.5)
    found = _Search(Patient(), ())
    found.run()
    found.measure_scale()
    result = found.result("train.py", ())
    assert (len(result.runs), set(result.scale.values())) == (5, {0.5})
    assert result.finding == "train.py repeats: 2 runs ended with the same bits after 8 steps."


def test_a_cause_named_first_needs_four_runs(searched):
    result = searched(Patient("numpy seed"), candidate("numpy seed", line=7))
    assert (result.conclusion, len(result.runs)) == ("cause found", 4)
    (cause,) = result.causes
    assert (cause.place, cause.with_it, cause.without_it) == ("train.py:7", (1, 2), (3, 4))
    assert "runs 1 and 2 differ; runs 3 and 4, with NumPy's global generator seeded" in cause.proof


def test_what_does_not_help_alone_is_left_out_at_the_end(searched):
    named = candidate("serial data", "parallel data"), candidate("hash seed", "hash order")
    result = searched(Patient("hash seed"), *named)
    assert [cause.kind for cause in result.causes] == ["hash order"]
    assert len(result.runs) == 10  # as it is, one, both and once more, the second alone and again


def test_runs_that_are_equal_by_chance_do_not_hide_a_race(searched):
    hash_order = candidate("hash seed", "hash order")
    result = searched(Patient("hash seed", lucky=[1, 2]), hash_order, hashes=[("train.py", 3)])
    assert [cause.kind for cause in result.causes] == ["hash order"]
    assert result.causes[0].with_it == (1, 3)


def test_runs_that_are_equal_by_chance_do_not_prove_a_cause(searched):
    named = candidate("serial data", "parallel data"), candidate("ordered threads", "thread race")
    result = searched(Patient("ordered threads", lucky=[3, 4]), *named)
    assert [cause.kind for cause in result.causes] == ["thread race"]


def test_two_causes_are_both_told(searched):
    named = candidate("serial data", "parallel data"), candidate("hash seed", "hash order")
    result = searched(Patient("serial data", "hash seed"), *named)
    assert {cause.kind for cause in result.causes} == {"parallel data", "hash order"}


def test_seeds_of_the_global_generators_are_one_remedy(searched):
    """One call sets all of them, so no runs are spent on telling them apart."""
    names = ("python seed", "numpy seed", "tensorflow seed")
    result = searched(Patient(*names), *map(candidate, names))
    assert len(result.runs) == 4
    assert len(result.causes) == 3


def test_a_run_that_fails_under_an_intervention_is_no_proof(searched):
    named = candidate("op determinism", "nondeterministic operation"), candidate("numpy seed")
    result = searched(Patient("numpy seed", fails_with="op determinism"), *named[::-1])
    assert [cause.interventions for cause in result.causes] == [("numpy seed",)]
    only = candidate("op determinism", "nondeterministic operation")
    result = searched(Patient("numpy seed", fails_with="op determinism"), only)
    assert (result.conclusion, result.tried) == ("cause not found", ("op determinism",))


def test_without_a_cause_that_helps_the_answer_is_that_none_was_found(searched):
    named = [candidate(name, "parallel data") for name in ("serial data", "hash seed")]
    result = searched(Patient("cosmic rays"), *named)
    assert (result.conclusion, result.causes) == ("cause not found", ())
    assert "They still differ with serial data pipelines, PYTHONHASHSEED=0." in result.finding


def test_the_search_ends(searched):
    named = [candidate(name, "parallel data") for name in _examine_names()]
    result = searched(Patient("cosmic rays"), *named)
    assert result.conclusion == "cause not found"
    assert len(result.runs) <= MOST_RUNS


def _examine_names():
    from fpdrift.doctor._interventions import INTERVENTIONS

    return list(INTERVENTIONS)


def test_a_script_that_goes_on_from_its_own_file_is_run_again_in_its_folder(searched):
    result = searched(Patient(left=[Path("model.keras")]))
    (cause,) = result.causes
    assert (cause.kind, cause.subject) == ("left-over file", "model.keras")
    assert (cause.with_it, cause.without_it) == ((1, 3), (1, 2))


def test_a_script_that_raises_gets_a_sentence(searched):
    result = searched(Patient(fails_with="nothing at all"))
    assert result.conclusion == "repeats"
    patient = Patient()
    ended = {"ended": "raised ValueError: no", "line": 3, "digest": ""}
    patient.pair = lambda *_: [patient.trace((), **ended) for _ in range(2)]
    result = searched(patient)
    assert result.conclusion == "failed"
    assert result.finding == "Run 1 did not finish: it raised ValueError: no in line 3."


def test_a_script_without_a_training_gets_a_sentence(searched):
    patient = Patient()
    patient.pair = lambda *_: [patient.trace((), digest="", keras=False) for _ in range(2)]
    assert "it does not import Keras" in searched(patient).finding
    event = {"event": "process", "file": "train.py", "line": 4, "draws": 0}
    patient.traces = []
    patient.pair = lambda *_: [patient.trace((), digest="", events=[event]) for _ in range(2)]
    assert "it starts other programs in train.py:4" in searched(patient).finding
