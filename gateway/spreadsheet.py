"""Rows for a spreadsheet: CSV (RFC 4180) that opens as text, whoever wrote what is in it.

A cell that begins with `=` and the like is a formula to Excel and its kin, and a party's staff
could write one into its reference. Such a cell gets an apostrophe in front (OWASP, "CSV
Injection"), which a spreadsheet does not show.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

#: What makes Excel take UTF-8 for UTF-8.
BOM: Final = b"\xef\xbb\xbf"

#: What a formula, or what hides one, begins with; East Asian editions take the wide forms too.
_ACTIVE: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def rows(cells: Iterable[Sequence[str]]) -> bytes:
    """These rows, every cell in quotes."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([safe(cell) for cell in row] for row in cells)
    return text.getvalue().encode()


def safe(cell: str) -> str:
    """The cell as text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_ACTIVE) else cell
