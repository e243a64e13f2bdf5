"""``fpdrift doctor``: why the runs of a training script differ."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.cli.options import add_json, check_output, deliver, try_file, whole
from fpdrift.errors import FpdriftError

if TYPE_CHECKING:
    import argparse

REPEATS, DIFFERS, UNKNOWN = 0, 1, 2


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "doctor",
        help="find out why the runs of a training script differ",
        description="Run a script in fresh processes until the cause of different results is\n"
        "proven.",
        epilog="The script itself is not changed. Options of fpdrift come before its name. Exit\n"
        "codes: 0 if its runs are equal, 1 if they differ, 2 if that is not known.",
        examples=(
            "fpdrift doctor train.py",
            "fpdrift doctor --steps 20 train.py --epochs 3",
            "fpdrift doctor --resume train.py",
            "fpdrift doctor --twice analysis.ipynb",
        ),
    )
    command.add_argument("script", metavar="SCRIPT", help="a Python script or a notebook")
    command.add_argument("arguments", metavar="ARGS", nargs="...", help="its own arguments")
    command.add_argument(
        "--steps",
        type=whole,
        metavar="N",
        help="end each call of fit after N steps (default: when it ends)",
    )
    command.add_argument(
        "--timeout",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="stop a run after that time (default: 600)",
    )
    command.add_argument(
        "--scale",
        action="store_true",
        help="run it three more times: one ulp, one thread and another seed, for comparison",
    )
    command.add_argument(
        "--baseline",
        metavar="FILE",
        help="accept the causes in this file, saved with --json (default: none)",
    )
    command.add_argument(
        "--html", metavar="FILE", help="save the report as one HTML page (default: none)"
    )
    other = command.add_mutually_exclusive_group()
    other.add_argument(
        "--resume",
        action="store_true",
        help="check instead whether its training, saved in the middle and resumed, is the same",
    )
    other.add_argument(
        "--twice",
        action="store_true",
        help="check instead whether a second run in the same process is the same",
    )
    command.add_argument(
        "--save",
        choices=("model", "weights"),
        help="for --resume: what is saved in the middle (default: model)",
    )
    add_json(command)
    command.set_defaults(run=run, plot=None)


def run(arguments: argparse.Namespace) -> int:
    """Diagnose; return the exit code."""
    from fpdrift import atomic
    from fpdrift.doctor import diagnose_script, page

    check_output(arguments)
    if arguments.save is not None and not arguments.resume:
        raise FpdriftError(f"--save {arguments.save} needs --resume")
    if arguments.resume or arguments.twice:
        return _check(arguments)
    if arguments.html is not None:
        try_file(Path(arguments.html))
    known = _known(arguments.baseline)
    found = diagnose_script(
        arguments.script,
        arguments.arguments,
        steps=arguments.steps,
        timeout=arguments.timeout,
        scale=arguments.scale,
        progress=_report,
    )
    deliver(found, arguments)
    if arguments.html is not None:
        text = page(found, Path(arguments.script))
        atomic.write(Path(arguments.html), text)
    if found.conclusion in ("failed", "nothing trained"):
        return UNKNOWN
    if found.conclusion == "cause not found":
        return DIFFERS
    new = [cause for cause in found.causes if (cause.kind, cause.file) not in known]
    return DIFFERS if new else REPEATS


def _report(text: str) -> None:
    print(f"fpdrift doctor: {text}", file=sys.stderr)


def _check(arguments: argparse.Namespace) -> int:
    """Answer one of the other questions; return the exit code."""
    from fpdrift.doctor import check_resume, check_twice

    question = "--resume" if arguments.resume else "--twice"
    for option in ("steps", "scale", "baseline"):
        if getattr(arguments, option):
            raise FpdriftError(f"--{option} does not go with {question}; leave one of them out")
    asked: Any = check_twice
    if arguments.resume:
        asked = functools.partial(check_resume, save=arguments.save or "model")
    found = asked(
        arguments.script, arguments.arguments, timeout=arguments.timeout, progress=_report
    )
    deliver(found, arguments)
    codes = {"resumes": REPEATS, "same": REPEATS, "state lost": DIFFERS, "left over": DIFFERS}
    return codes.get(found.conclusion, UNKNOWN)


def _known(path: str | None) -> set[tuple[str, str]]:
    """Return kind and file of the causes of an earlier diagnosis."""
    from fpdrift.doctor import ScriptDiagnosis
    from fpdrift.serialization import Result

    if path is None:
        return set()
    hint = "save one with fpdrift doctor --json FILE"
    try:
        earlier = Result.from_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FpdriftError(f"cannot read the baseline {path!r} ({error}); {hint}") from None
    except FpdriftError:
        raise FpdriftError(f"the baseline {path!r} is not a saved diagnosis; {hint}") from None
    if not isinstance(earlier, ScriptDiagnosis):
        raise FpdriftError(f"the baseline {path!r} is not a diagnosis; {hint}")
    return {(cause.kind, cause.file) for cause in earlier.causes}
