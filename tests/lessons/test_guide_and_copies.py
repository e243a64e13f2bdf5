"""The teacher's guide tells what there is, in time that there is; lessons are found and copied."""

import re
import shlex
from pathlib import Path

import pytest

from fpdrift.cli.lessons import FOLDER
from fpdrift.cli.main import main, parser
from fpdrift.errors import FpdriftError
from fpdrift.lessons import copy_lesson, copy_lessons, find_lesson, lessons

ROOT = Path(__file__).parents[2]


def test_the_guide_tells_every_lesson_and_its_commands_are_commands():
    guide = (ROOT / "lessons" / "TEACHING.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for lesson in lessons():
        assert f"\n| {lesson.number} " in guide
        assert f"\n| {lesson.number} " in readme
    lines = re.findall(r"^fpdrift (.*?)(?:\s+#.*)?$", guide, re.MULTILINE)
    verbs = {parser().parse_args(shlex.split(line)).command for line in lines}
    assert verbs == {"lessons", "slides", "class"}


def test_the_guides_plans_fit_their_time():
    """In half a day lessons are done whole: each has the minutes that its top names."""
    guide = (ROOT / "lessons" / "TEACHING.md").read_text(encoding="utf-8")
    _, short, half = re.split(r"\*\*(?:45 minutes|Half a day)\.\*\*", guide)
    given = [[int(some) for some in re.findall(r"\((\d+) min\)", plan)] for plan in (short, half)]
    assert sum(given[0]) == 45
    parts = (("00", "01"), ("02",), ("03",), ("07",), ("08",), ("10",))
    asked = [sum(map(_minutes, numbers)) for numbers in parts]
    assert all(minutes >= least for minutes, least in zip(given[1], asked, strict=True)), asked


def test_the_readme_tells_how_long_lessons_take():
    minutes = [_minutes(lesson.number) for lesson in lessons()]
    said = f"planned for {min(minutes)} to {max(minutes)} minutes each"
    assert said in (ROOT / "README.md").read_text(encoding="utf-8")


def _minutes(number):
    top = find_lesson(number).notebook.read_text(encoding="utf-8")
    return int(re.search(r"\*\*Time:\*\* (\d+) minutes", top)[1])


def test_the_guide_and_the_page_ask_a_class_for_the_same_run():
    guide, page = (
        re.search(r"^fpdrift\.train\(.*|^record = .*", (ROOT / name).read_text(), re.MULTILINE)
        for name in ("lessons/TEACHING.md", "docs/class.md")
    )
    assert guide[0] == page[0]


def test_copy_keeps_what_a_student_wrote(tmp_path):
    files = copy_lessons(tmp_path / "mine")
    assert len(files) == 2 * len(lessons()) + 1
    assert (tmp_path / "mine" / "TEACHING.md").read_text().startswith("# Teaching")
    files[0].write_text("my answers")
    with pytest.raises(FpdriftError, match="already exists"):
        copy_lessons(tmp_path / "mine")
    assert copy_lesson(lessons()[0], tmp_path / "mine") == files[0]
    assert files[0].read_text() == "my answers"


def test_lessons_are_found_by_number(capsys):
    assert find_lesson("1") == find_lesson("01")
    assert main(["lessons", "list"]) == 0
    assert "\n01  Order: " in capsys.readouterr().out


def test_help_and_readme_say_where_an_opened_copy_is(capsys):
    assert main(["lessons", "open", "--help"]) == 0
    assert f"{FOLDER}/" in capsys.readouterr().out
    assert f"{FOLDER}/" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_copy_from_the_command_line(capsys, tmp_path):
    assert main(["lessons", "copy", str(tmp_path / "x")]) == 0
    assert main(["lessons", "copy", str(tmp_path / "x")]) == 2
    assert "already exists" in capsys.readouterr().err
    (tmp_path / "file").write_text("kept")
    assert main(["lessons", "copy", str(tmp_path / "file")]) == 2
    assert "is a file; name a folder" in capsys.readouterr().err
