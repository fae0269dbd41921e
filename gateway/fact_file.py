"""Reading a file of facts: CSV or JSON Lines, one row a line, in bounded memory.

A line is a row whatever it holds. A quotation mark left open, a line of a gigabyte or bytes that
are no text spoil their own line and nothing after it, and the line numbers of the rejects file
are those that an editor shows.
"""

from __future__ import annotations

import csv
import enum
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from gateway.errors import GatewayError, Malformed
from gateway.scan import Limits, check
from scoring import Rejected, Rule

#: The column that says whose fact it is; it never reaches `scoring`.
PERSON = "id_number"

#: Bytes of a line: ten columns of 64 characters fit twice over.
LINE_MAX = 8192

_JSON = Limits(depth=2, members=64, string=LINE_MAX)
_decode = msgspec.json.Decoder(dict[str, object]).decode


class FactFileRefused(GatewayError):
    """The file as a whole cannot be read; the message says what to change."""


class Form(enum.StrEnum):
    """How rows are written."""

    CSV = "csv"
    JSONL = "jsonl"


class Row(msgspec.Struct, frozen=True):
    """One raw row, with the line it stands on (counted from 1)."""

    line: int
    cells: dict[str, object]


def form_of(path: Path) -> Form:
    """The form that a file's name tells.

    Raises:
        FactFileRefused: neither .csv nor .jsonl.
    """
    try:
        return Form(path.suffix.removeprefix(".").lower())
    except ValueError:
        raise FactFileRefused(f"{path.name}: facts come as .csv or .jsonl") from None


def read_rows(file: BinaryIO, form: Form) -> Iterator[Row | Rejected]:
    """The rows of a file opened for bytes; empty lines are passed over.

    Raises:
        FactFileRefused: a CSV file has no header of distinct columns that names the person.
    """
    lines = _lines(file)
    return _csv_rows(lines, _header(lines)) if form is Form.CSV else _json_rows(lines)


_Lines = Iterator[tuple[int, bytes | None]]


def _lines(file: BinaryIO) -> _Lines:
    """Number and bytes of each line; None for a line that is too long, which is skipped."""
    number = 0
    while line := file.readline(LINE_MAX + 1):
        number += 1
        if len(line) > LINE_MAX and not line.endswith(b"\n"):
            while (more := file.readline(LINE_MAX)) and not more.endswith(b"\n"):
                pass
            yield number, None
        elif line.strip():
            yield number, line


def _header(lines: _Lines) -> list[str]:
    _, line = next(lines, (1, None))
    try:
        names = next(csv.reader([(line or b"").decode("utf-8-sig").rstrip("\r\n")], strict=True))
    except (csv.Error, UnicodeDecodeError, StopIteration):
        names = []
    if PERSON not in names or len(set(names)) != len(names):
        raise FactFileRefused(f"the first line must name distinct columns, {PERSON} among them")
    return names


def _csv_rows(lines: _Lines, header: list[str]) -> Iterator[Row | Rejected]:
    for number, line in lines:
        if line is None:
            yield _too_long(number)
            continue
        try:
            cells = next(csv.reader([line.decode("utf-8").rstrip("\r\n")], strict=True))
        except (csv.Error, UnicodeDecodeError):
            yield Rejected(number, "", "the line is not CSV in UTF-8", Rule.FORMAT)
            continue
        if len(cells) == len(header):
            yield Row(number, dict(zip(header, cells, strict=True)))
        else:
            yield Rejected(number, "", "not as many cells as the header", Rule.FORMAT)


def _json_rows(lines: _Lines) -> Iterator[Row | Rejected]:
    for number, line in lines:
        if line is None:
            yield _too_long(number)
            continue
        try:
            check(line, _JSON)  # repeated names, NUL, depth: what the decoder lets pass
            yield Row(number, _decode(line))
        except (Malformed, msgspec.DecodeError):
            yield Rejected(number, "", "the line is not one plain JSON object", Rule.FORMAT)


def _too_long(number: int) -> Rejected:
    return Rejected(number, "", f"the line is longer than {LINE_MAX} bytes", Rule.FORMAT)
