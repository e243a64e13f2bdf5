"""``fpdrift ensemble``: train all that a file asks for, here or on a cluster.

An ensemble written down: a TOML file that names network, data, steps and conditions.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import math
import os
import sys
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_json, check_output, deliver, folder, whole
from fpdrift.cli.progress import TimeLeft, reporting
from fpdrift.ensembles._ensemble import ensemble
from fpdrift.ensembles._scheduler import MOST_WORKERS, workers_here
from fpdrift.errors import FpdriftError, MissingExtraError, short_repr
from fpdrift.training import Condition
from fpdrift.validation import check_int
from fpdrift.validation import check_int as checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Executor

#: What a file may say besides its conditions; `fpdrift.ensembles._ensemble` says what each means.
KEYS = ("network", "data", "labels", "steps", "directory", "timeout", "tries")
MOST_RUNS = 100_000


def read_plan(path: Path) -> dict[str, Any]:
    """Read what `ensemble` is to be called with.

    Each ``[[condition]]`` has keys of `Condition`. A list is one run for each of its values, and
    several lists are all their combinations; ``{from = 1, to = 100}`` is the list of these whole
    numbers. ``repeat = 3`` is each of them three times. A file without a directory names one: its
    own name without its ending.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    dict
        Arguments by name.

    Raises
    ------
    FpdriftError
        If it cannot be read, is no TOML, or has a key or a value that is refused.
    """
    try:
        plan = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}; give a TOML file"
        raise FpdriftError(message) from None
    except (ValueError, RecursionError) as error:  # also what is no UTF-8
        message = f"{path} is no TOML: {error}"
        raise FpdriftError(message) from None
    _known(path.name, plan, (*KEYS, "condition"))
    tables = plan.pop("condition", None)
    if not tables or not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        message = f"{path.name} has no [[condition]]; write one, with keys such as seed = [1, 2, 3]"
        raise FpdriftError(message)
    conditions: list[Condition] = []
    for number, table in enumerate(tables, 1):
        where = f"{path.name}, condition {number}"
        conditions += _conditions(where, table, MOST_RUNS - len(conditions))
    return {"directory": path.stem} | plan | {"conditions": conditions}


def _conditions(where: str, table: dict[str, Any], most: int) -> list[Condition]:
    _known(where, table, ("repeat", *Condition.__dataclass_fields__))
    try:
        repeat = check_int("repeat", table.pop("repeat", 1), 1, MOST_RUNS)
        lists = [_values(name, value) for name, value in table.items()]
        runs = repeat * math.prod(map(len, lists))
        if runs > most:
            message = f"more than {MOST_RUNS:,} runs; make its lists shorter"
            raise FpdriftError(message)
        return [
            Condition.from_dict(dict(zip(table, values, strict=True)))
            for values in itertools.product(*lists)
            for _ in range(repeat)
        ]
    except FpdriftError as error:
        message = f"{where}: {error}"
        raise FpdriftError(message) from None


def _values(name: str, value: Any) -> Sequence[Any]:
    """Return the values that a key stands for."""
    if isinstance(value, dict) and name != "perturbation":
        if set(value) != {"from", "to"}:
            message = (
                f"{name} is {short_repr(value)}; choose a value, a list, or {{from = 1, to = 9}}"
            )
            raise FpdriftError(message)
        first = check_int(f"{name}: from", value["from"], 0, 2**32 - 1)
        last = check_int(f"{name}: to", value["to"], first, 2**32 - 1)
        return range(first, last + 1)
    if isinstance(value, list) and not value:
        message = f"{name} is an empty list; give a value, or leave it out"
        raise FpdriftError(message)
    return value if isinstance(value, list) else [value]


def _known(where: str, table: Iterable[str], keys: tuple[str, ...]) -> None:
    unknown = (key for key in table if key not in keys)
    for key in unknown:
        message = f"{where}: unknown key {short_repr(key)}; choose one of {', '.join(keys)}"
        raise FpdriftError(message)


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
