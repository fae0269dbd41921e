"""Tables of operators' commands: names and numbers that are copied from them are never cut."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table

#: Cells between columns, and the least of a column that may break into lines.
_GAP = 2
_NARROWEST = 8


def copyable(*whole: str, others: tuple[str, ...]) -> Table:
    """An empty table. Columns of `whole` come first and are neither cut nor broken, since they are
    copied; the `others` share what room is left, and break into lines where it is narrow."""
    table = Table(box=None)
    for name in whole:
        table.add_column(name, no_wrap=True)
    for name in others:
        table.add_column(name, overflow="fold")
    return table


def put(table: Table) -> None:
    """Print a table: wider than the terminal rather than with a name cut short."""
    console = Console()
    least = sum(_least(console, column) + _GAP for column in table.columns)
    Console(width=max(console.width, least)).print(table)


def _least(console: Console, column: Column) -> int:
    """How narrow a column may get, in terminal cells."""
    widest = max(console.measure(cell).maximum for cell in [column.header, *column.cells])
    return widest if column.no_wrap else min(widest, _NARROWEST)
