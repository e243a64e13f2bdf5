"""Processes that answer task after task, where the library starts a fresh one for each.

That takes TensorFlow seconds. Tasks share a process only if it was to have the same environment and
the same settings for all its life; what a fresh one alone can show is for tests that start one.
"""

import importlib
import json
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import pytest

from fpdrift.subprocesses import run_module

#: What of a condition a process cannot change once TensorFlow has computed something.
LASTING = ("intra_op_threads", "inter_op_threads", "op_determinism")


class Residents:
    """A process for each environment and each settings, started when the first task comes."""

    def __init__(self):
        self.pools = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pool in self.pools.values():
            pool.shutdown()

    def run_module(self, module, payload, *, env=None, timeout=None, on_progress=None):
        """Do what `fpdrift.subprocesses.run_module` does."""
        lasting = [payload["condition"].get(name) for name in LASTING]
        key = json.dumps([lasting, sorted((env or {}).items())])
        if key not in self.pools:
            self.pools[key] = started(env or {})
        told = self.pools[key].submit(answer, module, json.dumps(payload)).result(timeout)
        *progress, result = json.loads(told)
        for message in progress if on_progress else ():
            on_progress(message)
        return result

    @contextmanager
    def instead(self, *, but=()):
        """Let training, repeating and judging a run take these processes inside the block.

        The first task of each program in `but` gets a fresh process all the same.
        """
        from fpdrift.step_debug import _diagnose, _rerun
        from fpdrift.training import _train

        fresh = set(but)

        def run_once(module, *args, **named):
            here = run_module if module in fresh else self.run_module
            fresh.discard(module)
            return here(module, *args, **named)

        with pytest.MonkeyPatch.context() as patch:
            for room in (_diagnose, _rerun, _train):
                patch.setattr(room, "run_module", run_once)
            yield
        assert not fresh, f"never started: {fresh}"


def started(env):
    """Start a process in an environment."""
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            if value is None:
                patch.delenv(name, raising=False)
            else:
                patch.setenv(name, value)
        pool.submit(os.getpid).result()  # starts it
    return pool


def answer(module, payload):
    """Do a task; give what it reported, and what it came to, as JSON."""
    told = []
    result = importlib.import_module(module).work(json.loads(payload), told.append)
    return json.dumps([*told, result])
