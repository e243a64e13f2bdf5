"""``fpdrift train``: one training under one condition, recorded."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_json, check_output, deliver, whole
from fpdrift.cli.progress import reporting
from fpdrift.comparison import summary
from fpdrift.perturbation import Perturbation
from fpdrift.training import Condition, train

if TYPE_CHECKING:
    import argparse

#: The condition's fields: the option, what else argparse has to know of it.
_OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "backend": ("--backend", {"metavar": "NAME", "help": "tensorflow, jax, torch"}),
    "intra_op_threads": ("--threads", {"type": whole, "metavar": "N"}),
    "inter_op_threads": ("--inter-op-threads", {"type": whole, "metavar": "N"}),
    "onednn": ("--onednn", {"choices": ("on", "off")}),
    "instruction_set": ("--instruction-set", {"metavar": "NAME", "help": "such as AVX2"}),
    "op_determinism": ("--op-determinism", {"action": "store_true", "default": None}),
    "jit": ("--xla", {"action": "store_true", "default": None}),
    "dtype_policy": ("--dtype", {"metavar": "NAME", "help": "such as float64, mixed_bfloat16"}),
    **{
        name: (f"--{name.replace('_', '-')}", {"type": whole, "metavar": "N"})
        for name in ("seed", "init_seed", "order_seed", "dropout_seed", "hash_seed")
    },
    "perturbation": (
        "--nudge",
        {"type": float, "metavar": "SIZE", "help": "noise of at most SIZE on half of the weights"},
    ),
}

#: What is told of a run that one has just started oneself; ``fpdrift show`` tells all.
_FACTS = ("network", "data.name", "data.labels", "backend", "cpu", "cores")


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "train",
        help="train a network under one condition, and record it",
        description="Train in a fresh process and record the run. What is not said is left to the "
        "framework. Two records are compared by: fpdrift compare A B",
        allow_abbrev=False,
    )
    command.add_argument(
        "path", nargs="?", metavar="FILE", help="the record; else named after the condition"
    )
    command.add_argument("--network", default="answer", metavar="NAME", help="answer, question ...")
    command.add_argument("--data", default="noise", metavar="NAME", help="noise, digits ...")
    command.add_argument("--labels", default="one-hot", metavar="NAME")
    command.add_argument("--steps", type=whole, default=100, metavar="N")
    command.add_argument("--overwrite", action="store_true", help="replace a record that is there")
    command.add_argument("--timeout", type=float, metavar="SECONDS", help="end it after that time")
    condition = command.add_argument_group("the condition")
    for name, (option, about) in _OPTIONS.items():
        condition.add_argument(option, dest=name, **about)
    add_json(command)
    command.set_defaults(run=run, plot=None)


def run(arguments: argparse.Namespace) -> int:
    """Train; return the exit code."""
    check_output(arguments)
    condition = _condition(arguments)
    with reporting() as report:
        record = train(
            condition,
            arguments.network,
            arguments.data,
            steps=arguments.steps,
            labels=arguments.labels,
            path=arguments.path,
            overwrite=arguments.overwrite,
            timeout=arguments.timeout,
            progress=lambda done, total: report(condition.name, done, total),
        )
    path = Path(arguments.path or record.name)
    told = summary(record, path.stat().st_size)
    facts = {"condition": condition.name} | {
        name: value for name, value in told.facts.items() if name in _FACTS
    }
    code = deliver(replace(told, facts=facts), arguments)
    sys.stdout.flush()
    print(f"Record: {path}. Next: fpdrift show {path}", file=sys.stderr)
    return code


def _condition(arguments: argparse.Namespace) -> Condition:
    given = {name: getattr(arguments, name) for name in _OPTIONS}
    chosen = {name: value for name, value in given.items() if value is not None}
    if "onednn" in chosen:
        chosen["onednn"] = chosen["onednn"] == "on"
    if "perturbation" in chosen:
        chosen["perturbation"] = Perturbation(kind="noise", size=chosen["perturbation"])
    return Condition(**chosen)
