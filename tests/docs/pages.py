"""The project's pages, taken apart: blocks, links, code spans."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
README, README_ZH = ROOT / "README.md", ROOT / "README.zh-CN.md"
#: docs/plan.md has tests of its own, with rules of its own.
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("seeds/*.md"))
    if page.name != "plan.md"
)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block, and its language."""

    language: str
    text: str


@cache
def text(page: Path) -> str:
    """A page as it is written."""
    return page.read_text("utf-8")


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """The fenced blocks of a page, or those of one language."""
    found = [Block(*match) for match in _FENCE.findall(text(page))]
    return [block for block in found if language in (None, block.language)]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text(page))


def links(page: Path) -> list[str]:
    """Where a page's links and pictures lead."""
    return [first or second for first, second in _LINK.findall(prose(page))]


def spans(page: Path) -> list[str]:
    """What stands in backticks in a page's prose."""
    return _SPAN.findall(prose(page))


def headings(page: Path) -> list[tuple[int, str]]:
    """Level and words of each heading."""
    return [(len(marks), words) for marks, words in _HEADING.findall(prose(page))]


def anchor(words: str) -> str:
    """The anchor that a heading gets where pages are shown."""
    return re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")


def name(page: Path) -> str:
    """A page as people call it."""
    return str(page.relative_to(ROOT))
