"""``fpdrift ensemble``: train all that a file asks for, here or on a cluster."""

from __future__ import annotations

import argparse
import logging
import math
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.checks import whole as checked
from fpdrift.cli.output import add_json, check_output, deliver
from fpdrift.cli.parsing import folder, whole
from fpdrift.cli.planfile import read_plan
from fpdrift.cli.progress import reporting
from fpdrift.cli.timeleft import TimeLeft
from fpdrift.errors import FpdriftError, MissingExtraError
from fpdrift.training.ensemble import ensemble
from fpdrift.training.workers import MOST_WORKERS, workers_here

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

_ABOUT = """
Train under each condition of a TOML file. What is finished is not trained
again, so the same command goes on where it was interrupted.
"""
_FILE = """
the file:
  steps = 100        # as for fpdrift train: network, data, labels, steps
  directory = "runs" # for the records; else the file's name without .toml
  timeout = 600      # seconds for one run (default: no limit)
  tries = 2          # how often a run is tried (default: 2)

  [[condition]]      # one or more of these
  intra_op_threads = [1, 2]  # a list is one run for each of its values,
  seed = {from = 1, to = 3}  # so this is six runs,
  repeat = 2                 # each done twice
  perturbation = {kind = "noise", size = 1e-8, fraction = 0.5}

  A condition has the keys of fpdrift.Condition: backend, intra_op_threads,
  inter_op_threads, onednn, instruction_set, op_determinism, jit,
  dtype_policy, seed, init_seed, order_seed, dropout_seed, hash_seed,
  perturbation.
"""


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "ensemble",
        help="train all runs that a file asks for; the same command goes on",
        description=_ABOUT,
        epilog=_FILE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument("file", type=Path, metavar="FILE.toml")
    where = command.add_mutually_exclusive_group()
    where.add_argument("--workers", type=whole, metavar="N", help="train N runs at a time here")
    where.add_argument("--scheduler", metavar="ADDRESS", help="let a Dask cluster train them")
    command.add_argument(
        "--out", type=folder, metavar="DIR", help="instead of the file's directory"
    )
    add_json(command)
    command.set_defaults(run=run, plot=None)


def run(arguments: argparse.Namespace) -> int:
    """Train; return the exit code."""
    check_output(arguments)
    plan = read_plan(arguments.file)
    if arguments.out is not None:
        plan["directory"] = str(arguments.out)
    runs = len(plan["conditions"])
    with _executor(arguments) as executor, reporting(label=44) as report:
        every = 5.0 if sys.stderr.isatty() else math.inf
        progress = TimeLeft(report, runs, every)
        try:
            result = ensemble(**plan, executor=executor, progress=progress)
        except KeyboardInterrupt:
            done = f"{progress.finished()} of {runs} runs are done"
            print(
                f"\n{done}, in {plan['directory']}{os.sep}; the same command goes on.",
                file=sys.stderr,
            )
            raise
    code = deliver(result, arguments)
    sys.stdout.flush()
    print(
        f"Records in {plan['directory']}{os.sep}. Next: fpdrift class {plan['directory']}",
        file=sys.stderr,
    )
    return code


@contextmanager
def _executor(arguments: argparse.Namespace) -> Iterator[Executor | None]:
    if arguments.workers is not None:
        with workers_here(checked("--workers", arguments.workers, 1, MOST_WORKERS)) as pool:
            yield pool
    elif arguments.scheduler is not None:
        with _dask(arguments.scheduler) as client:
            yield client.get_executor()
    else:
        yield None


def _dask(address: str) -> Any:
    """Connect to a scheduler."""
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtraError("distributed") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # its notices are not our lines
    try:
        return Client(address, timeout=30, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        message = f"--scheduler {address}: no Dask scheduler answers there ({error})"
        raise FpdriftError(message) from None
