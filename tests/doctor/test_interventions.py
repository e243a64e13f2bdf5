"""Each intervention takes one source of differences away, and leaves the others alone."""

import textwrap

import pytest

from fpdrift.doctor._interventions import ENVIRONMENT, INTERVENTIONS
from fpdrift.doctor._remedies import CHANGES
from fpdrift.subprocesses import run_module

#: What a script computes -> the intervention that makes it repeat.
SOURCES = {
    "import random; random.random()": "python seed",
    "import random; random.seed(); random.random()": "python seed",
    "import random; random.Random().random()": "python seed",
    "import numpy; numpy.random.rand()": "numpy seed",
    "import numpy; numpy.random.seed(); numpy.random.rand()": "numpy seed",
    "import numpy; numpy.random.default_rng().normal()": "generator seeds",
    "import numpy; numpy.random.RandomState().rand()": "generator seeds",
    "import os; os.urandom(8)": "fixed entropy",
    "import secrets; secrets.randbelow(10**9)": "fixed entropy",
    "import uuid; uuid.uuid4()": "fixed entropy",
    "import random; random.SystemRandom().random()": "fixed entropy",
    "hash('text')": "hash seed",
    "list({'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'})": "hash seed",
    "import time; time.time()": "fixed clock",
    "import time; time.time_ns()": "fixed clock",
    "import datetime; datetime.datetime.now()": "fixed clock",
    "from datetime import datetime; datetime.utcnow()": "fixed clock",
    "import os; os.getpid()": "fixed clock",
    "import random, time; random.seed(time.time_ns()); random.random()": "pinned seeds",
    "import random; random.seed(hash('name')); random.random()": "pinned seeds",
}
THREADS = """
    import threading, time, random
    found = []
    def work(number):
        time.sleep(random.SystemRandom().random() / 20)
        found.append(number)
    workers = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    value = found
"""
POOL = """
    import random, time
    from concurrent.futures import ThreadPoolExecutor, as_completed
    def work(number):
        time.sleep(random.SystemRandom().random() / 20)
        return number
    with ThreadPoolExecutor(6) as pool:
        value = [task.result() for task in as_completed([pool.submit(work, n) for n in range(6)])]
"""
QUEUE = """
    import queue, threading
    waiting = queue.Queue(maxsize=1)
    def work(number):
        for i in range(3):
            waiting.put((number, i))
    for n in range(3):
        threading.Thread(target=work, args=(n,), daemon=True).start()
    value = [waiting.get() for _ in range(9)]
"""


@pytest.fixture
def value_of(tmp_path):
    """Run a script under interventions, and return what it computed."""

    def run(text, *interventions):
        script, out = tmp_path / "script.py", tmp_path / "out"
        script.write_text(f"{textwrap.dedent(text)}\nopen({str(out)!r}, 'w').write(repr(value))\n")
        task = {
            "script": str(script),
            "arguments": [],
            "folder": str(tmp_path),
            "working": str(tmp_path),
            "interventions": list(interventions),
            "pinned": [],
            "steps": None,
        }
        env = {name: v for i in interventions for name, v in ENVIRONMENT.get(i, {}).items()}
        done = run_module("fpdrift.doctor._worker", task, env=env)
        assert done["ended"] == "finished", done["ended"]
        return out.read_text()

    return run


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_that_is_taken_away_gives_the_same_value_twice(value_of, source):
    *before, last = source.split("; ")
    text = "\n".join([*before, f"value = {last}"])
    assert value_of(text) != value_of(text)  # one chance in 10**8 to be equal, or less
    intervention = SOURCES[source]
    assert value_of(text, intervention) == value_of(text, intervention)


@pytest.mark.parametrize("text", [THREADS, POOL, QUEUE], ids=["threads", "pool", "queue"])
def test_threads_one_after_another_finish_in_order(value_of, text):
    value = eval(value_of(text, "ordered threads"))
    assert value == sorted(value)


def test_a_seed_that_the_script_sets_stays_its_own(value_of):
    text = "import random\nrandom.seed(5)\nvalue = random.random()"
    alone = value_of(text)
    for name in ("python seed", "numpy seed", "generator seeds", "fixed entropy", "fixed clock"):
        assert value_of(text, name) == alone
    assert value_of(text, "another seed") != alone


def test_libraries_keep_their_own_clock_and_randomness(value_of):
    text = """
        import tempfile, logging, time
        record = logging.LogRecord("a", 1, "b", 1, "c", (), None)
        value = record.created > 1.7e9 and time.time() < 1.7e9
    """
    assert value_of(text, "fixed clock") == "True"


def test_compiled_libraries_meet_the_real_dates(value_of):
    """pandas is compiled against the layout of the real class."""
    pytest.importorskip("pandas")
    text = """
        import pandas
        from datetime import datetime
        value = str(pandas.Timestamp(datetime.now())), str(pandas.Timestamp(2021, 4, 11))
    """
    assert value_of(text, "fixed clock") == value_of(text, "fixed clock")


def test_every_intervention_has_its_words():
    assert set(INTERVENTIONS) | set(ENVIRONMENT) <= set(CHANGES)
