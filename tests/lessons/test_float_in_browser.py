"""The page with one float in a real Chromium: it works, asks no network, and can be used by all."""

from pathlib import Path

import pytest
from browser import chromium, page
from helpers import require

import fpdrift
from fpdrift.floats import facts, flipped

PAGE = Path(__file__).parents[2] / "figures" / "float.html"
TENTH = fpdrift.anatomy("0.1")


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.mark.check
@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_bits_flip_by_mouse_and_by_keyboard(browser, width):
    with page(browser, width) as shown:
        asked = []
        shown.on("request", lambda request: asked.append(request.url))
        shown.goto(PAGE.as_uri())
        bits = shown.get_by_role("button").all()
        assert len(bits) == len(TENTH.bits)
        assert read(shown)["exact"] == facts(TENTH)["exact"]
        bits[0].click()
        once = flipped(TENTH, 0)
        assert read(shown)["exact"] == facts(once)["exact"]
        assert shown.get_by_label("number").input_value() == "-0.1"
        shown.keyboard.press("Tab")
        shown.keyboard.press("Space")
        twice = facts(flipped(once, 1))
        assert read(shown)["exact"] == twice["exact"]
        assert read(shown)["ulp"].split()[0] == twice["ulp"].split()[0] != facts(once)["ulp"]
        shown.keyboard.press("Space")
        assert read(shown)["exact"] == facts(once)["exact"]
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        assert asked == [PAGE.as_uri()]


def read(shown):
    """Give the table of facts as a dict."""
    rows = (row.inner_text().split("\t") for row in shown.locator("tr").all())
    return {name.strip(): told.strip() for name, told in rows}


@pytest.mark.check
@pytest.mark.slow
@pytest.mark.parametrize("number", ["0.1", "no number"])
def test_axe_finds_nothing_serious(browser, number):
    axe = require("axe_playwright_python.sync_playwright").Axe()
    with page(browser, 390) as shown:
        shown.goto(PAGE.as_uri())
        shown.get_by_label("number").fill(number)
        found = axe.run(shown).response
        assert len(found["passes"]) >= 10
        bad = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
        assert not [(v["id"], v["help"], [n["html"] for n in v["nodes"]]) for v in bad]


@pytest.mark.check
@pytest.mark.slow
def test_axe_sees_what_is_wrong(browser):
    axe = require("axe_playwright_python.sync_playwright").Axe()
    with page(browser, 390) as shown:
        shown.set_content("<html lang=en><title>x</title><main><input><p style='color:#bbb'>pale")
        found = {violation["id"] for violation in axe.run(shown).response["violations"]}
        assert {"label", "color-contrast"} <= found
