"""``fpdrift ensemble``: train all runs that a TOML file describes, here or on a cluster."""

from __future__ import annotations

import itertools
import math
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from fpdrift.cli.conditions import OPTIONS, use_known_names
from fpdrift.cli.options import add_json, check_output, deliver, folder, whole
from fpdrift.cli.progress import TimeLeft, reporting
from fpdrift.errors import FpdriftError, MissingExtraError, did_you_mean, short_repr
from fpdrift.validation import check_int

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Executor

    from fpdrift.training import Condition

#: Keys of a file besides its conditions; they are arguments of `fpdrift.ensembles.ensemble`.
KEYS = ("network", "data", "labels", "steps", "directory", "timeout", "tries")
MOST_RUNS = 100_000


def read_plan(path: Path) -> dict[str, Any]:
    """Read the arguments of `ensemble` from a TOML file.

    Each ``[[condition]]`` has keys of `Condition`. A list is one run for each of its values, and
    several lists are all their combinations; ``{from = 1, to = 100}`` is the list of these whole
    numbers. ``repeat = 3`` trains each of them three times. The default directory is the file's
    name without its ending.

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
        If it cannot be read, is not TOML, or has an unknown key or an invalid value.
    """
    import tomllib

    try:
        plan = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}; give a TOML file"
        raise FpdriftError(message) from None
    except (ValueError, RecursionError) as error:  # also if it is not UTF-8
        message = f"{path} is not TOML: {error}"
        raise FpdriftError(message) from None
    _known(path.name, plan, (*KEYS, "condition"))
    tables = plan.pop("condition", None)
    if not tables or not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        message = f"{path.name} has no [[condition]]; add one, with keys such as seed = [1, 2, 3]"
        raise FpdriftError(message)
    conditions: list[Condition] = []
    for number, table in enumerate(tables, 1):
        where = f"{path.name}, condition {number}"
        conditions += _conditions(where, table, MOST_RUNS - len(conditions))
    return {"directory": path.stem} | plan | {"conditions": conditions}


def _conditions(where: str, table: dict[str, Any], most: int) -> list[Condition]:
    from fpdrift.training import Condition

    table = use_known_names(where, table)
    _known(where, table, ("repeat", *OPTIONS))
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
    """Return the values of a key."""
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
        raise FpdriftError(message + did_you_mean(key, keys))


_FILE = """
Finished runs are not trained again: after an interruption the same command
resumes.

the file:
  steps = 100        # as for fpdrift train: network, data, labels, steps
  directory = "runs" # of the records (default: the file's name without .toml)
  timeout = 600      # seconds for one run (default: no limit)
  tries = 2          # attempts for each run (default: 2)

  [[condition]]      # one or more of these
  intra_op_threads = [1, 2]  # a list is one run for each of its values,
  seed = {from = 1, to = 3}  # so these are six runs,
  repeat = 2                 # each trained twice
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
        help="train all runs listed in a file; the same command resumes",
        description="Train a network under each condition of a TOML file, and record the runs.",
        epilog=_FILE,
        examples=("fpdrift ensemble plan.toml", "fpdrift ensemble plan.toml --workers 2"),
    )
    command.add_argument("file", type=Path, metavar="FILE.toml", help="see below")
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=whole, metavar="N", help="train N runs at a time here (default: 1)"
    )
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="train on this Dask cluster (default: none)"
    )
    command.add_argument(
        "--out", type=folder, metavar="DIR", help="of the records (default: the file's directory)"
    )
    add_json(command)
    command.set_defaults(run=run, plot=None)


def run(arguments: argparse.Namespace) -> int:
    """Train; return the exit code."""
    from fpdrift.ensembles import ensemble

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
                f"\n{done}, in {plan['directory']}{os.sep}; the same command resumes.",
                file=sys.stderr,
            )
            raise
    code = deliver(result, arguments)
    sys.stdout.flush()
    records = plan["directory"]
    print(f"Records in {records}{os.sep}. Next: fpdrift class {quote(records)}", file=sys.stderr)
    return code


@contextmanager
def _executor(arguments: argparse.Namespace) -> Iterator[Executor | None]:
    from fpdrift.ensembles._scheduler import MOST_WORKERS, workers_here

    if arguments.workers is not None:
        with workers_here(check_int("--workers", arguments.workers, 1, MOST_WORKERS)) as pool:
            yield pool
    elif arguments.scheduler is not None:
        with _dask(arguments.scheduler) as client:
            yield client.get_executor()
    else:
        yield None


def _dask(address: str) -> Any:
    """Connect to a scheduler."""
    import logging

    try:
        from distributed import Client
    except ImportError:
        raise MissingExtraError("distributed") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # hide its notices
    try:
        return Client(address, timeout=30, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        message = f"--scheduler {address}: no Dask scheduler answers at that address ({error})"
        raise FpdriftError(message) from None
