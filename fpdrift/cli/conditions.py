"""How a condition is written: an option of ``fpdrift train``, a key of a TOML file.

Both have the names of `fpdrift.Condition`'s fields, so that a thing has one name everywhere.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import whole

if TYPE_CHECKING:
    from fpdrift.training import Condition

_SEED = {"type": whole, "metavar": "N"}
_FLAG = {"action": "store_true", "default": None}
#: Field of `Condition` -> the settings of its option. The defaults in the texts are `Condition`'s.
OPTIONS: dict[str, dict[str, Any]] = {
    "backend": {
        "metavar": "NAME",
        "help": "tensorflow, torch or jax (default: KERAS_BACKEND, or tensorflow)",
    },
    "intra_op_threads": {
        "type": whole,
        "metavar": "N",
        "help": "threads inside one operation (default: the backend's choice)",
    },
    "inter_op_threads": {
        "type": whole,
        "metavar": "N",
        "help": "operations that run at the same time (default: the backend's choice)",
    },
    "onednn": {
        "choices": ("on", "off"),
        "help": "whether TensorFlow uses oneDNN (default: TensorFlow's choice)",
    },
    "instruction_set": {
        "metavar": "NAME",
        "help": "newest instruction set that oneDNN may use, such as AVX2 (default: the "
        "processor's newest)",
    },
    "op_determinism": {**_FLAG, "help": "ask the backend for the same bits in every run"},
    "jit": {**_FLAG, "help": "compile the step with XLA"},
    "dtype_policy": {
        "metavar": "NAME",
        "help": "such as float64 or mixed_bfloat16 (default: float32)",
    },
    "seed": {**_SEED, "help": "for weights, order of the data and dropout (default: 1)"},
    "init_seed": {**_SEED, "help": "for the starting weights (default: same as --seed)"},
    "order_seed": {**_SEED, "help": "for the order of the data (default: same as --seed)"},
    "dropout_seed": {**_SEED, "help": "for dropout (default: same as --seed)"},
    "hash_seed": {**_SEED, "help": "PYTHONHASHSEED of the process (default: unset)"},
    "perturbation": {
        "type": float,
        "metavar": "SIZE",
        "help": "noise of at most SIZE on half of the starting weights (default: none)",
    },
}
#: Other names of a field, of earlier versions or of Keras -> the field.
OTHER_NAMES = {
    "threads": "intra_op_threads",
    "xla": "jit",
    "jit_compile": "jit",
    "dtype": "dtype_policy",
    "nudge": "perturbation",
}


def add_condition(command: argparse.ArgumentParser) -> None:
    """Add an option for each field, and a hidden one for each other name."""
    group = command.add_argument_group("condition")
    for name, settings in OPTIONS.items():
        group.add_argument(option(name), dest=name, **settings)
    for other, name in OTHER_NAMES.items():
        settings = {key: value for key, value in OPTIONS[name].items() if key == "type"}
        if "action" in OPTIONS[name]:  # a flag
            settings["nargs"] = 0
        group.add_argument(
            option(other), dest=name, action=_OtherName, help=argparse.SUPPRESS, **settings
        )


def option(name: str) -> str:
    """Return the option of a field."""
    return f"--{name.replace('_', '-')}"


def use_known_names(where: str, table: dict[str, Any]) -> dict[str, Any]:
    """Return a file's table with the fields' own names, after one line for each other name.

    A field that has both names keeps them: the other one is then refused as unknown.
    """
    known = {}
    for name, value in table.items():
        own = OTHER_NAMES.get(name, name)
        if own == name or own in table:
            known[name] = value
        else:
            _hint(f"{where}: {name}", own)
            known[own] = value
    return known


class _OtherName(argparse.Action):
    """An option by its other name: it works, and names the one to use."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - argparse passes it
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Set the field's own option."""
        _hint(str(option_string), option(self.dest))
        setattr(namespace, self.dest, True if self.nargs == 0 else values)


def _hint(other: str, name: str) -> None:
    print(f"fpdrift: {other} is deprecated; use {name}", file=sys.stderr)


def condition_of(arguments: argparse.Namespace) -> Condition:
    """Return the condition that the options describe.

    Raises
    ------
    FpdriftError
        If a value is refused.
    """
    from fpdrift.perturbation import Perturbation
    from fpdrift.training import Condition

    given = {name: getattr(arguments, name) for name in OPTIONS}
    chosen = {name: value for name, value in given.items() if value is not None}
    if "onednn" in chosen:
        chosen["onednn"] = chosen["onednn"] == "on"
    if "perturbation" in chosen:
        chosen["perturbation"] = Perturbation(kind="noise", size=chosen["perturbation"])
    return Condition(**chosen)
