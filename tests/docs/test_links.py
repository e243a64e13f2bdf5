"""What people read leads where it says, and says what its pictures show."""

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^```.*?^```$|<script>.*?</script>", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)|\b(?:href|src)=\"([^\"]+)\"")


def written():
    """Give every page that a person reads, and its Markdown or HTML."""
    folders = (ROOT, ROOT / "docs", ROOT / "lessons", ROOT / "figures")
    for page in sorted(page for folder in folders for page in folder.glob("*.md")):
        yield page, page.read_text(encoding="utf-8")
    for page in sorted(ROOT.glob("lessons/**/*.ipynb")):
        cells = json.loads(page.read_text(encoding="utf-8"))["cells"]
        yield page, "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    for page in sorted(ROOT.glob("figures/*.html")):
        yield page, page.read_text(encoding="utf-8")


WRITTEN = dict(written())
PICTURE = re.compile(r"!\[[^]]*\]\(|<(?:img|svg)\b")
#: A notebook's pictures come from its code: tests/lessons/test_lessons.py looks at them.
PICTURED = [page for page, text in WRITTEN.items() if PICTURE.search(text)]


def short(page):
    """Name a page from the root on."""
    return str(page.relative_to(ROOT))


def anchors(text):
    """Name the places in a page that a link may lead to: headings, as GitHub does, and ids."""
    heads = re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", head)) for head in heads)
    return {head.strip().lower().replace(" ", "-") for head in plain} | set(
        re.findall(r'\bid="([^"]+)"', text)
    )


def links(text):
    """Give the targets of a page's links and pictures; code is no link."""
    return LINK.findall(re.sub(r"`[^`\n]*`", "", FENCED.sub("", text)))


def broken(page, text):
    """Name the links of a page that lead nowhere."""
    for target in map("".join, links(text)):
        parts = urlsplit(target)
        place = page.parent / unquote(parts.path) if parts.path else page
        if parts.scheme:
            continue
        there = text if place == page else WRITTEN.get(place.resolve(), "")
        if not place.exists() or (parts.fragment and parts.fragment not in anchors(there)):
            yield target


@pytest.mark.parametrize("page", WRITTEN, ids=short)
def test_links_lead_somewhere(page):
    assert list(broken(page, WRITTEN[page])) == []


def test_a_link_that_leads_nowhere_is_seen():
    page = ROOT / "README.md"
    text = (
        "# A head\n[a](#a-head) [b](#no-head) [c](no.md) [d](docs/class.md#no) ![e](x.png) `[f](g)`"
    )
    assert list(broken(page, text)) == ["#no-head", "no.md", "docs/class.md#no", "x.png"]


def nameless(text):
    """Give pictures without a text for those who do not see them."""
    tags = re.findall(r"<(?:img|svg)\b[^>]*>", text)
    without = [tag for tag in tags if not re.search(r'\b(?:alt|aria-label)="[^"]+"', tag)]
    return re.findall(r"!\[\s*\]\([^)]*\)", text) + without


@pytest.mark.parametrize("page", PICTURED, ids=short)
def test_every_picture_has_a_text(page):
    assert nameless(WRITTEN[page]) == []


def test_a_picture_without_text_is_seen():
    assert len(nameless('![](a.png) ![b](c.png) <img src="d.png"> <img alt="e" src="f.png">')) == 2
