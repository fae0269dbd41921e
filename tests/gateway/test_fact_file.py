"""A file of facts is read line by line: what spoils a line spoils nothing else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fact_file import LINE_MAX, FactFileRefused, Form, Row, form_of, read_rows
from scoring import Rejected

HEADER = b"id_number,department,code\n"
LONG = b'{"a":"' + b"x" * (3 * LINE_MAX) + b'"}'


def rows(raw: bytes, form: Form = Form.CSV) -> list[Row | Rejected]:
    """All that a file of these bytes says."""
    return list(read_rows(io.BytesIO(raw), form))


def refused_lines(found: list[Row | Rejected]) -> list[int]:
    """The lines that were refused."""
    return [row.line for row in found if isinstance(row, Rejected)]


def good_lines(found: list[Row | Rejected]) -> list[int]:
    """The lines that were read."""
    return [row.line for row in found if isinstance(row, Row)]


def test_a_header_with_a_byte_order_mark_and_any_line_end_is_read() -> None:
    found = rows(b"\xef\xbb\xbf" + HEADER.replace(b"\n", b"\r\n") + b'1,"a,b",c\r\n\r\n2,d,e')
    assert [row.cells for row in found if isinstance(row, Row)] == [
        {"id_number": "1", "department": "a,b", "code": "c"},
        {"id_number": "2", "department": "d", "code": "e"},
    ]
    assert good_lines(found) == [2, 4]


@pytest.mark.parametrize(
    "first", [b"", b"\n", b"department,code\n", b"id_number,code,code\n", b"\xff,id_number\n"]
)
def test_without_a_header_that_names_the_person_the_file_is_refused(first: bytes) -> None:
    with pytest.raises(FactFileRefused, match="id_number"):
        rows(first + b"1,a,b\n")


@pytest.mark.parametrize(
    "bad",
    [b'1,"open,c\n', b"1,\xff\xfe,c\n", b"1,a\n", b"1,a,b,c\n", b'1,"a"b,c\n', LONG + b",c\n"],
)
def test_a_bad_line_of_csv_spoils_only_itself(bad: bytes) -> None:
    found = rows(HEADER + b"1,a,b\n" + bad + b"2,c,d\n")
    assert refused_lines(found) == [3]
    assert good_lines(found) == [2, 4]


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"[1]",
        b'"text"',
        b'{"a":1,"a":2}',
        b'{"a":{"b":{"c":1}}}',
        b'{"a":"\\u0000"}',
        LONG,
        b"\xff",
        b"{}{}",
    ],
)
def test_a_bad_line_of_json_spoils_only_itself(bad: bytes) -> None:
    found = rows(b'{"id_number":"1"}\n' + bad + b'\n{"id_number":"2","value":3}\n', Form.JSONL)
    assert refused_lines(found) == [2]
    assert good_lines(found) == [1, 3]


@given(st.binary(max_size=400))
def test_whatever_the_bytes_every_line_is_a_row_or_a_refusal(raw: bytes) -> None:
    wanted = [number for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()]
    assert sorted(row.line for row in rows(raw, Form.JSONL)) == wanted
    found = rows(HEADER + raw)
    assert [row.line for row in found] == [number + 1 for number in wanted]


def test_a_name_that_tells_no_form_is_refused() -> None:
    assert form_of(Path("a.CSV")) is Form.CSV
    assert form_of(Path("a.jsonl")) is Form.JSONL
    with pytest.raises(FactFileRefused, match="jsonl"):
        form_of(Path("facts.xlsx"))
