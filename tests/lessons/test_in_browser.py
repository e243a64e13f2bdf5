"""Lessons as a student opens them: a real JupyterLab and Notebook in a real Chromium."""

import re
import shutil

import nbformat
import pytest
from browser import chromium, jupyter, page
from helpers import require
from outside import ROOT

import fpdrift
from fpdrift.floats import facts, flipped

#: Which page shows which lesson, how many pixels wide.
CASES = [
    ("lab", "00_bits", 1280),
    ("lab", "00_bits", 390),
    ("lab", "01_order", 1280),
    ("lab", "01_order", 390),
    ("notebooks", "00_bits", 390),
]
TENTH = fpdrift.anatomy("0.1")


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A JupyterLab and the folder that it shows; each case has a notebook and kernel of its own."""
    for module in ("jupyterlab", "notebook", "ipywidgets", "ipykernel"):
        require(module)
    folder = tmp_path_factory.mktemp("jupyter")
    for case in CASES:
        place = folder / _place(case)
        place.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "lessons" / place.name, place)
    with jupyter(folder) as url:
        yield url, folder


def _place(case):
    kind, lesson, width = case
    return f"{kind}-{width}/{lesson}.ipynb"


@pytest.mark.check
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=_place)
def test_a_lesson_in_the_browser(case, browser, server):
    """Run all cells, use what can be clicked, save: no error in a cell or in the console."""
    (kind, lesson, width), (url, folder) = case, server
    with page(browser, width) as shown:
        own = f"lab/workspaces/{lesson}-{width}/tree" if kind == "lab" else kind
        shown.goto(f"{url}{own}/{_place(case)}")
        with_kernel(shown, url, _place(case))
        if kind == "lab" and width < 600:
            shown.locator("li[data-id=filebrowser]").click()  # its side bar takes all the place
        run_all(shown)
        {"00_bits": click_bits, "01_order": type_expression}[lesson](shown, width)
        saved = run_and_saved(shown, folder / _place(case))
    outputs = [output for cell in saved for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert len([o for o in outputs if "image/png" in o.get("data", {})]) == 1
    assert len([o for o in outputs if "Not yet" in str(o) or "still a ..." in str(o)]) >= 7


def with_kernel(shown, url, place):
    """Wait until the kernel has answered the page: what is shown earlier has no widgets."""
    while not any(
        session["path"] == place and session["kernel"]["execution_state"] == "idle"
        for session in shown.request.get(f"{url}api/sessions").json()
    ):
        shown.wait_for_timeout(200)
    shown.wait_for_function(
        "() => document.querySelector('.jp-KernelName')?.textContent.includes('Python')"
        " && document.querySelector('.jp-Notebook-ExecutionIndicator[data-status=idle]')"
    )


def run_all(shown):
    """Choose it in the menu; a page that has no kernel yet asks which one, and is told."""
    started = shown.locator(".jp-CodeCell .jp-InputPrompt", has_text=re.compile(r"[*\d]"))
    while not started.count():
        shown.locator(".lm-MenuBar-item", has_text="Run").click()
        shown.get_by_text("Run All Cells", exact=True).click()
        shown.wait_for_timeout(1000)
        for button in shown.get_by_role("button", name="Select Kernel", exact=True).all():
            button.click()


def click_bits(shown, width):
    """Flip the sign with the mouse and the exponent's first bit with the keyboard."""
    table = shown.locator(".widget-html table")
    table.scroll_into_view_if_needed()
    assert read(table) == facts(TENTH)
    bits = shown.locator("button.jupyter-button[title*=' bit ']").all()
    assert len(bits) == len(TENTH.bits)
    for box in (part.bounding_box() for part in (*bits, shown.get_by_label("dtype"))):
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    shown.get_by_title("sign bit 1 of 1").click()
    shown.get_by_text("-0.1 (normal)").wait_for()
    once = flipped(TENTH, 0)
    assert read(table) == facts(once)
    shown.keyboard.press("Tab")
    shown.keyboard.press("Space")
    twice = facts(flipped(once, 1))
    assert twice["ulp"] != facts(once)["ulp"]
    shown.get_by_text(twice["ulp"], exact=True).wait_for()
    assert read(table) == twice


def read(table):
    """Give a table with one fact a row as a dict."""
    return {
        row.locator("th").text_content(): row.locator("td").text_content()
        for row in table.locator("tr").all()
    }


def type_expression(shown, width):
    """Type another expression into the explorer; see its orders."""
    field = shown.get_by_label("expression")
    assert field.bounding_box()["x"] + field.bounding_box()["width"] <= width
    field.fill("0.1+0.2+0.3")
    field.press("Enter")
    shown.get_by_text("0.6000000000000001").first.wait_for()


def run_and_saved(shown, path):
    """Wait until every cell has run, save, and read what was saved."""
    shown.wait_for_function(
        "() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]"
        ".every(prompt => /\\d/.test(prompt.textContent))"
    )
    shown.locator(".lm-MenuBar-item", has_text="File").click()
    with shown.expect_response(lambda told: told.request.method == "PUT" and path.name in told.url):
        shown.get_by_text("Save Notebook", exact=True).click()
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    return cells
