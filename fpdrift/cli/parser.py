"""The parser that all commands share: what ``--help`` shows, and what a mistyped word gets."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from fpdrift.cli import BAD_INPUT
from fpdrift.errors import FpdriftError, MissingExtraError, did_you_mean, short_repr

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Shells for which shtab writes a completion script.
_SHELLS = ("bash", "zsh", "tcsh")


class CommandParser(argparse.ArgumentParser):
    """A parser whose help ends in examples and whose complaints are one line.

    Parameters
    ----------
    examples : sequence of str
        Command lines shown at the end of the help.
    epilog : str, optional
        Text before the examples, kept line by line.
    **settings
        As of `argparse.ArgumentParser`.
    """

    def __init__(
        self, *, examples: Sequence[str] = (), epilog: str | None = None, **settings: Any
    ) -> None:
        shown = "\n".join(["examples:", *(f"  {line}" for line in examples)]) if examples else None
        super().__init__(
            epilog="\n\n".join(part.strip("\n") for part in (epilog, shown) if part),
            formatter_class=_Formatter,
            allow_abbrev=False,
            **settings,
        )
        self.examples = tuple(examples)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does; each command refuses for itself what it does not know."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._unknown(unknown))
        if "run" not in found:  # no command: show what there is, and fail, as uv and ruff do
            self.print_help(sys.stderr)
            self.exit(BAD_INPUT)
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Raise the error of one line that names this command's own help."""
        raise FpdriftError(f"{message}; see {self.prog} --help")

    def _unknown(self, arguments: Sequence[str]) -> str:
        options = [text.partition("=")[0] for text in arguments if text.startswith("-")]
        if not options:
            return f"unexpected argument {short_repr(arguments[0])}"
        known = [
            name
            for name, action in self._option_string_actions.items()
            if action.help != argparse.SUPPRESS
        ]
        return f"unknown option {options[0]}{did_you_mean(options[0], known)}"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Name the choice that is nearest; argparse lists all and no more before Python 3.14."""
        if action.choices is None or value in action.choices:
            return
        choices = list(action.choices)
        what = "value" if action.option_strings else "command"
        message = f"unknown {what} {short_repr(value)}; choose one of {', '.join(choices)}"
        message += did_you_mean(value, choices)
        if action.option_strings:
            raise argparse.ArgumentError(action, message)
        self.error(message)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of examples, and shows each default that the parser itself holds."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        default = action.default
        hidden = default is None or isinstance(default, bool) or default == argparse.SUPPRESS
        if hidden or not action.option_strings or "default" in (action.help or ""):
            return action.help
        return f"{action.help} (default: %(default)s)"


class PrintCompletion(argparse.Action):
    """Print the script that completes commands and options in a shell, and stop."""

    def __init__(self, option_strings: Sequence[str], dest: str, **settings: Any) -> None:
        super().__init__(option_strings, dest, choices=_SHELLS, **settings)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002 - argparse passes it
        values: Any,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        """Print it; shtab is imported here, since no other command needs it."""
        try:
            import shtab
        except ImportError:
            raise MissingExtraError("shtab") from None
        print(shtab.complete(parser, shell=values))
        parser.exit()
