"""Help, hints and shell completion: what every command shows, and how fast it gets there."""

import argparse
import shlex
import subprocess
import sys

import pytest
from helpers import require

from fpdrift.cli.experiment import TIMES
from fpdrift.cli.main import main, parser
from fpdrift.experiments import EXPERIMENTS, LIGHT, STUDIES

#: Libraries that take long to import; the parser needs none of them.
SLOW = {"numpy", "scipy", "ml_dtypes", "matplotlib", "tensorflow", "keras", "rich", "shtab"}


def commands(top=None):
    """Return each command's parser by its words, such as "lessons open"."""
    found = {}
    for action in (top or parser())._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                found[name] = command
                found |= {f"{name} {verb}": deep for verb, deep in commands(command).items()}
    return found


COMMANDS = commands()


def test_all_commands_are_walked_through():
    assert len(COMMANDS) == 18 + 4
    assert {"demo", "record-gpu", "class", "lessons", "lessons open"} <= set(COMMANDS)


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["train", "--help"], [], ["tarin"]])
def test_help_imports_nothing_slow(argv):
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['fpdrift', *{argv!r}]\n"
        "try:\n"
        "    runpy.run_module('fpdrift', run_name='__main__')\n"
        "except SystemExit:\n"
        "    print(*{name.partition('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "argparse" in loaded
    assert loaded & SLOW == set()


@pytest.mark.parametrize("argv", [[], ["lessons"]])
def test_without_a_command_the_help_is_shown(capsys, argv):
    """As uv and ruff do: on standard error, with the exit code of a wrong input."""
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"usage: {' '.join(['fpdrift', *argv])} [-h]")
    assert "examples:" in err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_a_line_the_defaults_and_examples(capsys, name):
    command = COMMANDS[name]
    assert main([*name.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert all(len(line) <= 80 for line in text.splitlines())
    assert command.description.endswith(".")
    assert f"\n{command.description}\n" in text
    assert len(command.examples) >= 2
    assert text.endswith("".join(f"\n  {example}" for example in command.examples) + "\n")
    for action in command._actions:
        listed = isinstance(action, argparse._SubParsersAction)
        assert action.help or listed, f"{name}: {action.dest} has no help"
        takes_value = action.option_strings and action.nargs != 0 and not action.required
        if takes_value and action.help != argparse.SUPPRESS:
            shown = command._get_formatter()._expand_help(action)
            assert "default" in shown, f"{name} {action.option_strings[0]}: {shown}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_a_command(name):
    for example in COMMANDS[name].examples:
        program, *argv = shlex.split(example.partition(">")[0])
        assert program == "fpdrift"
        found = parser().parse_args(argv)
        words = [found.command, *([found.verb] if "verb" in found else [])]
        assert " ".join(words).startswith(name)


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["tarin"], "choose one of demo, reveal"),
        (["tarin"], "(did you mean 'train'?); see fpdrift --help"),
        (["train", "--stepz", "3"], "unknown option --stepz (did you mean '--steps'?)"),
        (["train", "--stepz=3"], "unknown option --stepz (did you mean '--steps'?)"),
        (["train", "--stepz"], "; see fpdrift train --help"),
        (["train", "--steps", "many"], "; see fpdrift train --help"),
        (["train", "a", "b"], "unexpected argument 'b'; see fpdrift train --help"),
        (["compare"], "; see fpdrift compare --help"),
        (["lessons", "opne"], "(did you mean 'open'?); see fpdrift lessons --help"),
        (["lessons", "open"], "; see fpdrift lessons open --help"),
        (["--versoin"], "unknown option --versoin (did you mean '--version'?); see fpdrift --help"),
        (["experiment", "gaet"], "(did you mean 'gate'?)"),
        (["demo", "--only", "ordr"], "(did you mean 'order'?)"),
        (["train", "--network", "anwser"], "(did you mean 'answer'?)"),
        (["train", "--data", "digit"], "(did you mean 'digits'?)"),
        (["train", "--backend", "tensorflw"], "(did you mean 'tensorflow'?)"),
        (["experiment"], "fpdrift experiment --list"),
    ],
)
def test_a_mistyped_word_gets_the_nearest_one_and_the_right_help(
    capsys, tmp_path, monkeypatch, argv, line
):
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert line in err
    assert list(tmp_path.iterdir()) == []


def test_a_word_like_no_other_gets_no_guess(capsys):
    assert main(["dance"]) == 2
    assert "did you mean" not in capsys.readouterr().err


def test_the_list_of_studies_gives_a_line_and_a_time_for_each(capsys):
    assert main(["experiment", "--list"]) == 0
    _, *lines, _ = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    studies = (*STUDIES, *LIGHT, *EXPERIMENTS)
    assert [line.split()[0] for line in lines] == list(dict.fromkeys(i.name for i in studies))
    assert {item.name for item in STUDIES} | {"cnn"} == set(TIMES)
    for line in lines:
        name = line.split()[0]
        quick, full = TIMES.get(name, ("seconds", ""))
        summary = next(item.summary for item in studies if item.name == name)
        assert line.split(maxsplit=1)[1].split() == [
            *quick.split(),
            *full.split(),
            *summary.split(),
        ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_completion_script_names_the_commands(capsys, shell):
    require("shtab")
    assert main(["--print-completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name.partition(" ")[0] in script for name in COMMANDS)
    assert "intra-op-threads" in script


def test_without_shtab_the_extra_is_named(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["--print-completion", "bash"]) == 2
    assert "pip install 'fpdrift[completion]'" in capsys.readouterr().err
    assert main(["--print-completion", "fish"]) == 2
    assert "choose one of bash, zsh, tcsh" in capsys.readouterr().err
