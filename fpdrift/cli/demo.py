"""``fpdrift demo``: five steps from one expression to a CNN, each measured here and now."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import flush, folder, make_folder, whole
from fpdrift.cli.progress import reporting, waiting
from fpdrift.errors import MissingExtraError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from fpdrift.experiments import Experiment, Settings
    from fpdrift.serialization import Result


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "demo",
        help="see this machine's arithmetic drift, in five steps",
        description="See this machine's arithmetic drift, from one expression to a CNN.",
        examples=("fpdrift demo --only order,chain", "fpdrift demo --no-plots --out demo"),
    )
    command.add_argument(
        "--only", action="append", metavar="STEP[,STEP]", help="run only these (default: all)"
    )
    command.add_argument("--list", action="store_true", help="list the steps and exit")
    command.add_argument(
        "--seed", type=whole, default=1, metavar="N", help="for numbers, weights and order"
    )
    command.add_argument("--steps", type=whole, default=100, metavar="N", help="training steps")
    command.add_argument(
        "--data", default="noise", metavar="NAME", help="noise, digits or fashion-mnist"
    )
    command.add_argument(
        "--out",
        type=folder,
        default=Path("fpdrift-out"),
        metavar="DIR",
        help="for results, records and pictures",
    )
    command.add_argument("--json", action="store_true", help="print one JSON document instead")
    command.add_argument("--no-plots", action="store_true", help="do not draw figures")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen steps; return the exit code."""
    from fpdrift.cli.screens import verdict
    from fpdrift.experiments import EXPERIMENTS, Settings
    from fpdrift.provenance import available_cores
    from fpdrift.text import plural
    from fpdrift.training._datasets import check

    if arguments.list:
        for item in EXPERIMENTS:
            print(f"{item.name:8} {item.summary}")
        return 0
    chosen = _choose(arguments.only)
    settings = Settings(
        seed=arguments.seed, steps=arguments.steps, data=arguments.data, out=arguments.out
    )
    check(settings.data, "one-hot")
    make_folder(settings.out)
    show = _Screen(settings.out, quiet=arguments.json, draw=not arguments.no_plots)
    show.line(f"fpdrift demo: {plural(available_cores(), 'core')}, seed {settings.seed}")
    try:
        failed = _steps(chosen, settings, show, explicit=arguments.only is not None)
    except KeyboardInterrupt:
        print(f"\nSaved so far in {settings.out}{os.sep}: {show.saved()}", file=sys.stderr)
        raise
    if arguments.json:
        import json

        print(json.dumps({"steps": show.documents, "failed": failed}))
    show.line(f"\n{verdict(show.results)}")
    kinds = "Results" if arguments.no_plots else "Results and figures"
    show.line(f"{kinds} saved in {settings.out}{os.sep}. Next: fpdrift lessons open 01")
    return 1 if failed else 0


class _Screen:
    """Shows and saves results, and remembers them."""

    def __init__(self, out: Path, *, quiet: bool, draw: bool) -> None:
        self.out = out
        self.start = time.time()
        self.quiet = quiet
        self.draw = draw
        self.results: dict[str, Result] = {}
        self.documents: dict[str, Any] = {}

    def line(self, text: str) -> None:
        if not self.quiet:
            print(text, flush=True)

    def saved(self) -> str:
        """List the results and records that this run has written."""
        made = (p for p in self.out.iterdir() if p.suffix in (".json", ".fpdrift"))
        return ", ".join(sorted(p.name for p in made if p.stat().st_mtime >= self.start - 1)) or "-"

    def keep(self, name: str, result: Result) -> None:
        """Save a result and its picture, and show it."""
        import json

        from fpdrift import atomic
        from fpdrift.cli.screens import show

        text = result.to_json()
        atomic.write(self.out / f"{name}.json", text)
        self.results[name] = result
        self.documents[name] = json.loads(text)
        if not self.quiet:
            show(result)
            flush()
        if self.draw:
            with waiting("drawing"):
                from fpdrift.plotting import save

                save(result, self.out / name)


def _steps(
    chosen: Sequence[Experiment], settings: Settings, show: _Screen, *, explicit: bool
) -> list[str]:
    """Run each step; if one fails, report it and run the next one."""
    from dataclasses import replace

    from fpdrift.experiments import EXPERIMENTS

    failed = []
    for item in chosen:
        number = EXPERIMENTS.index(item) + 1
        show.line(f"\n{number} {item.name:8} {item.summary}")
        try:
            with reporting() as report:
                result = item.run(replace(settings, progress=report))
            show.keep(item.name, result)
        except MissingExtraError as error:
            if explicit:
                raise
            show.line(f"  left out: {error}")
        except OSError:  # the output folder: no later step could save anything either
            raise
        except Exception as error:  # noqa: BLE001 - the other steps still run
            failed.append(item.name)
            reason = " ".join(str(error).split()) or type(error).__name__
            print(f"fpdrift: step {item.name} failed: {reason:.300}", file=sys.stderr)
    return failed


def _choose(only: Sequence[str] | None) -> tuple[Experiment, ...]:
    from fpdrift.experiments import EXPERIMENTS, experiment

    if only is None:
        return EXPERIMENTS
    names = {name.strip() for item in only for name in item.split(",")}
    wanted = {experiment(name).name for name in names}
    return tuple(item for item in EXPERIMENTS if item.name in wanted)
