"""What pages name is there: links, files, commands, targets, addresses, tables."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest

from gateway.cli import main
from gateway.edge import authzen, contract, scrape
from gateway.edge.eligibility import PREFIX, SUFFIX
from gateway.edge.routes import HANDLERS
from gateway.web import pages
from tests.docs.pages import PAGES, ROOT, anchor, blocks, headings, links, name, prose, spans, text

#: What a path in backticks begins with, or ends in.
_TOP = tuple(
    f"{entry.name}/" for entry in ROOT.iterdir() if entry.is_dir() and entry.name[0] != "."
)
_ENDS = (".py", ".toml", ".sql", ".md", ".svg", ".txt", ".sh")
_PATH = re.compile(r"\A[\w./-]+\Z")
_ENDPOINT = re.compile(r"\A(GET|POST|PUT|DELETE) (/\S*)\Z")
_COMMAND = re.compile(r"(?:^|[`$(] ?)qianjiang ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)", re.MULTILINE)
_TARGET = re.compile(r"(?:^|`)make ([a-z]+)", re.MULTILINE)
#: A page's own examples, of files that its reader is to make.
_EXAMPLES = {"scenario.toml", "cases.toml", "parties.toml"}

every_page = pytest.mark.parametrize("page", PAGES, ids=name)


@cache
def served() -> frozenset[str]:
    """Every method and path, with the names of parameters left out."""
    routes = {
        f"{method} {_shape(path)}"
        for handler in (*HANDLERS, *pages.HANDLERS)
        for path in handler.paths
        for method in handler.http_methods
    }
    hot = {f"POST {_shape(path)}" for path in (PREFIX + "{scenario}" + SUFFIX, *authzen.ROUTES)}
    return frozenset({*routes, *hot, f"GET {contract.PATH}", f"GET {scrape.PATH}"})


def _shape(path: str) -> str:
    return re.sub(r"{[^}]*}", "{}", path)


@every_page
def test_every_link_of_ours_leads_somewhere(page: Path) -> None:
    lost = []
    for link in links(page):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = page.parent / parts.path if parts.path else page
        known = (
            {anchor(words) for _, words in headings(target)} if target.suffix == ".md" else set()
        )
        if not target.exists() or (parts.fragment and parts.fragment not in known):
            lost.append(link)
    assert lost == []


@every_page
def test_every_path_in_backticks_exists(page: Path) -> None:
    named = [
        span
        for span in spans(page)
        if _PATH.match(span)
        and (span.startswith(_TOP) or span.endswith(_ENDS))
        and not span.startswith("/")
        and span not in _EXAMPLES
    ]
    homes = (ROOT, page.parent, *page.parent.glob("*/"))
    assert [path for path in named if not any((home / path).exists() for home in homes)] == []


@every_page
def test_every_address_in_backticks_is_served(page: Path) -> None:
    named = [match for span in spans(page) if (match := _ENDPOINT.match(span))]
    lost = [match[0] for match in named if f"{match[1]} {_shape(match[2])}" not in served()]
    assert lost == []


def test_every_address_that_is_served_is_on_a_page() -> None:
    named = {
        f"{match[1]} {_shape(match[2])}"
        for page in PAGES
        for span in spans(page)
        if (match := _ENDPOINT.match(span))
    }
    assert served() - named == set()


def test_every_command_is_on_a_page() -> None:
    said = {words.split(" ")[0] for page in PAGES for words in _COMMAND.findall(text(page))}
    assert set(main.list_commands(click.Context(main))) - said == set()


@every_page
def test_every_command_exists(page: Path) -> None:
    context = click.Context(main)
    lost = []
    for said in _COMMAND.findall(text(page)):
        words = said.split(" ")
        command = main.get_command(context, words[0])
        if command is None:
            lost.append(said)
        elif isinstance(command, click.Group) and len(words) > 1:
            sub = command.get_command(context, words[1])
            lost.extend([said] if sub is None else [])
    assert lost == []


@every_page
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(_TARGET.findall(text(page))) - targets == set()


@every_page
def test_a_page_has_one_title_and_no_level_is_skipped(page: Path) -> None:
    levels = [level for level, _ in headings(page)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    steps = pairwise(levels)
    assert [pair for pair in steps if pair[1] > pair[0] + 1] == []


@every_page
def test_a_page_speaks_of_the_project_alone(page: Path) -> None:
    assert re.findall(r"localhost:\d+|\bTODO\b|\bFIXME\b", text(page)) == []


@every_page
def test_every_picture_says_in_words_what_it_shows(page: Path) -> None:
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", prose(page))
    assert [path for words, path in pictures if len(words) < 20] == []
    for _, path in pictures:
        if path.endswith(".webp"):  # photographs of pages, whose words are beside them
            assert (page.parent / path).read_bytes()[8:12] == b"WEBP"
            continue
        drawing = ElementTree.parse(page.parent / path).getroot()
        assert {child.tag.partition("}")[2] for child in drawing} >= {"title", "desc"}


def test_every_table_that_the_architecture_names_is_in_the_schema() -> None:
    migrations = ROOT / "gateway" / "store" / "migrations"
    schema = "".join(path.read_text() for path in migrations.glob("0*.sql"))
    tables = set(re.findall(r"^CREATE TABLE (\w+) ", schema, re.MULTILINE))
    page = text(ROOT / "docs" / "architecture.md")
    section = page.partition("## What is kept")[2].partition("## ")[0]
    named = {
        span
        for row in re.findall(r"^\|[^|]*\|([^|]*)\|", section, re.MULTILINE)
        for span in re.findall(r"`(\w+)`", row)
    }
    partitions = {table for table in tables if table.endswith("_default")}
    assert named == tables - partitions


def test_no_shell_block_asks_for_what_a_bare_machine_lacks() -> None:
    scripts = [block.text for page in PAGES for block in blocks(page, "sh")]
    assert [script for script in scripts if re.search(r"\bjq\b|\bsudo\b", script)] == []
