"""From one raw row of a CSV or JSONL file to a fact, or to the reason why not.

The importer takes its own column that says whose fact it is out of the row first: what arrives
here is about nobody. Reasons name the field and the rule and never repeat a value, because the
rejects file is read by people who need not know it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

import msgspec

from scoring.catalogue import Catalogue, Entry
from scoring.facts import Fact, negative_end
from scoring.rules import Rule, forbidden

REQUIRED = ("department", "code", "value", "effective", "source")
#: A negative fact must have `determined`; the other three only repeat what the catalogue says.
OPTIONAL = ("expires", "determined", "dimension", "category", "sphere")
COLUMNS = frozenset((*REQUIRED, *OPTIONAL))

MAX_TEXT = 64  # characters of any text; the longest code of the catalogue is far below
_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Rejected(msgspec.Struct, frozen=True):
    """Why the row of line `line` (counted from 1) is not a fact; `field` names its column."""

    line: int
    field: str
    reason: str
    rule: Rule


class _No(msgspec.Struct, frozen=True):
    """A refusal that does not know its line yet."""

    field: str
    reason: str
    rule: Rule = Rule.FORMAT


def check_row(row: Mapping[str, object], catalogue: Catalogue, line: int) -> Fact | Rejected:
    """The fact that `row` states, or the first thing that forbids it.

    Values are strings (CSV) or JSON values; an empty string, a null and an absent column are the
    same. Never raises, whatever the row holds.
    """
    checked = _check(row, catalogue)
    if isinstance(checked, _No):
        return Rejected(line, checked.field, checked.reason, checked.rule)
    return checked


def _check(row: Mapping[str, object], catalogue: Catalogue) -> Fact | _No:
    texts = _texts(row)
    if isinstance(texts, _No):
        return texts
    entry = _entry(texts, catalogue)
    if isinstance(entry, _No):
        return entry
    value = _value(texts["value"], entry)
    if isinstance(value, _No):
        return value
    days = _days(texts, entry)
    if isinstance(days, _No):
        return days
    effective, expires, determined = days
    return Fact(
        department=entry.department,
        code=entry.code,
        dimension=entry.dimension,
        value=value,
        effective=effective,
        expires=expires,
        determined=determined,
        source=texts["source"],
        sphere=entry.sphere,
        merit=entry.merit,
    )


def _texts(row: Mapping[str, object]) -> dict[str, str] | _No:
    """The row's columns as clean texts, without the empty ones."""
    # A forbidden column is named as such even where another unknown one stands before it.
    unknown = sorted((str(name) for name in row if name not in COLUMNS), key=_allowed_last)
    if unknown:
        return _unknown_column(unknown[0])
    texts: dict[str, str] = {}
    for name, raw in row.items():
        text = _text(name, raw)
        if isinstance(text, _No):
            return text
        if text:
            texts[name] = text
    missing = next((name for name in REQUIRED if name not in texts), None)
    return texts if missing is None else _No(missing, "is missing")


def _allowed_last(name: str) -> tuple[bool, str]:
    return forbidden(name) is None, name


def _unknown_column(name: str) -> _No:
    shown = name[:MAX_TEXT] if name.isprintable() else "(unprintable)"
    if (row := forbidden(name)) is not None:
        return _No(shown, f"this column is about {row.category}", row.rule)
    return _No(shown, "unknown column")


def _text(name: str, raw: object) -> str | _No:
    """One cell as text. Only a value may be a JSON number, and only a whole one."""
    if raw is None:
        return ""
    if isinstance(raw, int) and not isinstance(raw, bool) and name == "value":
        # Python refuses to spell integers of thousands of digits, so the size is asked first.
        return str(raw) if -1 <= raw < 10**9 else _No(name, "is too large or negative")
    if not isinstance(raw, str):
        return _No(name, f"must be text{' or a whole number' * (name == 'value')}")
    if len(raw) > MAX_TEXT:
        return _No(name, f"is longer than {MAX_TEXT} characters")
    # Control characters (NUL, line breaks), lone surrogates and invisible marks are all refused.
    if not raw.isprintable():
        return _No(name, "holds a character that cannot be printed")
    return raw.strip()


def _entry(texts: Mapping[str, str], catalogue: Catalogue) -> Entry | _No:
    """The catalogue's entry for this row, which the row's own labels must not contradict."""
    entry = catalogue.entries.get((texts["department"], texts["code"]))
    if entry is None:
        return _uncatalogued(texts)
    for name in ("category", "dimension", "sphere"):
        if texts.get(name, getattr(entry, name)) != getattr(entry, name):
            if (row := forbidden(texts[name])) is not None:
                return _No(name, f"{row.category} is no scoring fact", row.rule)
            return _No(name, "is not what the catalogue says", Rule.CATALOGUE)
    return entry


def _uncatalogued(texts: Mapping[str, str]) -> _No:
    for name in ("code", "category", "department"):
        if (row := forbidden(texts.get(name, ""))) is not None:
            return _No(name, f"{row.category} is no scoring fact", row.rule)
    return _No("code", "this department and code are not in the catalogue", Rule.CATALOGUE)


def _value(text: str, entry: Entry) -> int | str | _No:
    if entry.levels:
        if not entry.admits(text):
            return _No("value", "is not one of the catalogue's levels", Rule.CATALOGUE)
        return text
    if _WHOLE.fullmatch(text) is None:
        return _No("value", "is not a whole number of at most nine digits")
    if not entry.admits(int(text)):
        return _No("value", f"is outside {entry.least}..{entry.most}", Rule.CATALOGUE)
    return int(text)


_Days = tuple[date, date | None, date | None]


def _days(texts: Mapping[str, str], entry: Entry) -> _Days | _No:
    """When the fact takes effect, ends and was determined."""
    days: dict[str, date] = {}
    for name in ("effective", "expires", "determined"):
        if name in texts:
            day = _day(name, texts[name])
            if isinstance(day, _No):
                return day
            days[name] = day
    effective, expires = days["effective"], days.get("expires")
    if expires is not None and expires <= effective:
        return _No("expires", "is not after the effective date")
    if entry.negative:
        return _negative_days(effective, expires, days.get("determined"))
    if "determined" in days:
        return _No("determined", "only negative facts are determined", Rule.CATALOGUE)
    return effective, expires, None


def _negative_days(effective: date, expires: date | None, determined: date | None) -> _Days | _No:
    if determined is None:
        return _No("determined", "a negative fact needs the day of its determination", Rule.ZJ_16)
    if effective < determined:
        return _No("effective", "a negative fact has no effect before it is determined", Rule.ZJ_16)
    end = negative_end(determined)
    if effective >= end:
        return _No("determined", "the five years have passed before it takes effect", Rule.ZJ_16)
    return effective, end if expires is None else min(end, expires), determined


def _day(name: str, text: str) -> date | _No:
    if _DAY.fullmatch(text) is None:
        return _No(name, "is not a date like 2026-01-31")
    try:
        return date.fromisoformat(text)
    except ValueError:
        return _No(name, "is not a day of the calendar")
