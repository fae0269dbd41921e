"""Tables of operators' commands: names and numbers that are copied from them are never cut."""

from __future__ import annotations

from typing import Any

from rich.console import Console, RenderableType
from rich.table import Column, Table

#: Cells between columns, and the least of a column that may break into lines.
_GAP = 2
_NARROWEST = 8


def visible(text: str) -> str:
    """Another city's text, for a terminal: what would move its cursor or turn its writing round
    is shown as a sign."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


class _Table(Table):
    """A table of texts as they are, whoever wrote them."""

    def add_row(self, *cells: RenderableType | None, **how: Any) -> None:
        super().add_row(*(_lines(c) if isinstance(c, str) else c for c in cells), **how)


def _lines(cell: str) -> str:
    return "\n".join(map(visible, cell.split("\n")))


def copyable(*whole: str, others: tuple[str, ...]) -> Table:
    """An empty table. Columns of `whole` come first and are neither cut nor broken, since they are
    copied; the `others` share what room is left, and break into lines where it is narrow."""
    table = _Table(box=None)
    for name in whole:
        table.add_column(name, no_wrap=True)
    for name in others:
        table.add_column(name, overflow="fold")
    return table


def put(table: Table) -> None:
    """Print a table: wider than the terminal rather than with a name cut short."""
    # Without markup: a name may hold what reads like it, and stop the command (`[/]`).
    console = Console(markup=False, emoji=False)
    least = sum(_least(console, column) + _GAP for column in table.columns)
    wide = max(console.width, least)
    Console(width=wide, markup=False, emoji=False).print(table)


def _least(console: Console, column: Column) -> int:
    """How narrow a column may get, in terminal cells."""
    widest = max(console.measure(cell).maximum for cell in [column.header, *column.cells])
    return widest if column.no_wrap else min(widest, _NARROWEST)
