"""The operators' table of settings is the struct itself, in words."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from gateway.settings import Settings
from tests.docs.pages import ROOT, text

_ROW = re.compile(r"^\| `QIANJIANG_([A-Z_]+)` \| (\S+) \| (.+) \|$", re.MULTILINE)

ROWS = _ROW.findall(text(ROOT / "docs" / "operators.md"))


def _default(field: msgspec.structs.FieldInfo) -> str:
    value: Any = field.default
    if value is msgspec.NODEFAULT or value == "":  # has to be set, or is unset unless it is
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_every_setting_is_documented_once_with_its_default() -> None:
    fields = {field.name: _default(field) for field in msgspec.structs.fields(Settings)}
    assert {row[0].lower(): row[1] for row in ROWS} == fields
    assert len(ROWS) == len(fields)


def test_every_setting_says_what_it_means() -> None:
    assert [row[0] for row in ROWS if len(row[2]) < 10] == []
