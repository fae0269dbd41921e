"""The plan's checklist tells the truth: all its rows, the counts, and nothing that is not there."""

import re
from collections import Counter
from pathlib import Path

import pytest

from gateway.edge.eligibility import PREFIX, SUFFIX
from gateway.edge.routes import HANDLERS

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "plan.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if re.match(r"\| [A-E]\d\d ", line)
]
STATUSES = ["served", "partly", "not yet"]
NAMED = sorted({name for row in ROWS for name in re.findall(r"`([^`]+)`", row[5])})
ENDPOINTS = [name for name in NAMED if re.match(r"[A-Z]+ /", name)]
COMMANDS = [name for name in NAMED if name.startswith("qianjiang ")]
PATHS = sorted(set(NAMED) - set(ENDPOINTS) - set(COMMANDS))


def shape(method: str, path: str) -> str:
    """An endpoint with its parameters' names left out, for names differ by taste."""
    return f"{method} {re.sub(r'{[^}]*}', '{}', path)}"


def test_the_table_has_the_plans_120_rows() -> None:
    assert len(ROWS) == 120
    assert {len(row) for row in ROWS} == {6}


def test_no_id_stands_twice() -> None:
    twice = [name for name, n in Counter(" ".join(r[0] for r in ROWS).split()).items() if n > 1]
    assert twice == []


def test_every_row_says_what_where_and_how_far() -> None:
    assert [row[0] for row in ROWS if not all(row) or row[4] not in STATUSES] == []


def test_what_serves_a_row_is_named_and_what_is_not_built_is_absent() -> None:
    silent = [row[0] for row in ROWS if row[4] != "not yet" and "`" not in row[5]]
    dressed = [row[0] for row in ROWS if row[4] == "not yet" and row[5] != "–"]
    assert (silent, dressed) == ([], [])


@pytest.mark.parametrize("path", PATHS)
def test_a_named_path_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_named_endpoint_is_served(endpoint: str) -> None:
    served = {
        shape(method, path)
        for handler in HANDLERS
        for path in handler.paths
        for method in handler.http_methods
    }
    served.add(shape("POST", f"{PREFIX}{{scenario}}{SUFFIX}"))
    assert shape(*endpoint.split(" ", 1)) in served


@pytest.mark.parametrize("command", COMMANDS)
def test_a_named_command_exists(command: str) -> None:
    assert (ROOT / "gateway" / "cli" / f"{command.removeprefix('qianjiang ')}.py").is_file()


def test_the_counts_are_right() -> None:
    counts = Counter(row[4] for row in ROWS)
    said = " · ".join(f"{status}: {counts[status]}" for status in STATUSES)
    assert TEXT.splitlines()[-1] == f"Rows: {len(ROWS)} · {said}"
