"""The text of a recognition scheme, checked before it is one."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from typing import Any

import msgspec

from scenarios.manifest import Name
from scenarios.problem import Finding, Path, Problem, misshapen, not_toml, place
from scenarios.schemes import City, Limit, Need, Scale, Scheme

#: A whole table of four hundred cities is smaller than that.
TEXT_MAX_BYTES = 256 * 1024


class SchemeError(Exception):
    """A text does not spell a scheme; `problems` lists every fault found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def parse_scheme(raw: bytes, file: str) -> Scheme:
    """The scheme that a TOML text spells; `file` is how its problems name it.

    Raises `SchemeError`, which names file, line, field and remedy of everything found.
    """
    text = _text(raw, file)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SchemeError([not_toml(error, file, text)]) from error
    if not _SIGNS & document.keys():
        fault = Problem(
            *(file, 1, "(file)", f"This is no scheme: it has none of {', '.join(sorted(_SIGNS))}."),
            _COMPARE,
        )
        raise SchemeError([fault])
    try:
        scheme = msgspec.convert(document, Scheme)
    except msgspec.ValidationError as error:
        found = _ill_formed(document, error)
        raise SchemeError(place(finding, file, text) for finding in found) from None
    problems = [place(finding, file, text) for finding in _findings(scheme)]
    if problems:
        raise SchemeError(problems)
    return scheme


def _text(raw: bytes, file: str) -> str:
    if len(raw) > TEXT_MAX_BYTES:
        fault = Problem(
            *(file, 1, "(file)", f"This is longer than {TEXT_MAX_BYTES} bytes."),
            "Leave out what is no part of the table.",
        )
        raise SchemeError([fault])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        fault = Problem(file, 1, "(file)", "This is not UTF-8.", "Save it as UTF-8.")
        raise SchemeError([fault]) from error


#: The tables that have an entry for each scenario or city.
_TABLES = {"needs": dict[Name, Need], "limits": dict[Name, Limit], "cities": dict[City, Scale]}
_COMPARE = "Compare with a scheme that is right, such as seeds/schemes/example-delta-2.toml."

#: A file with none of these was meant for something else.
_SIGNS = {"tiers", "needs", "cities"}


def _ill_formed(document: dict[str, Any], error: msgspec.ValidationError) -> Iterator[Finding]:
    """The faults of form, entry by entry, or else the whole document's first: of a table's
    entries the library does not say which one it means."""
    found = False
    for table, kind in _TABLES.items():
        entries = document.get(table)
        for key, entry in entries.items() if isinstance(entries, dict) else ():
            try:
                msgspec.convert({key: entry}, kind)
            except msgspec.ValidationError as fault:
                found, inner = True, misshapen(fault, _COMPARE)
                yield Finding((table, key, *inner.path), inner.message, inner.remedy)
    if not found:
        yield misshapen(error, _COMPARE)


def _findings(scheme: Scheme) -> Iterator[Finding]:
    """What is wrong with a table whose every part is well formed."""
    if len(set(scheme.tiers)) < len(scheme.tiers):
        yield Finding(("tiers",), "A tier is named twice.", "Name each tier once, lowest first.")
        return
    for scenario, need in scheme.needs.items():
        if need.tier not in scheme.tiers:
            yield _unknown(("needs", scenario, "tier"), need.tier, scheme)
    for scenario, limit in scheme.limits.items():
        path: Path = ("limits", scenario)
        if scenario not in scheme.needs:
            yield Finding(
                path, f"No tier is needed for `{scenario}`.", "Add it under [needs], or drop it."
            )
        yield from _limit_findings((*path, "fen"), limit, scheme)
    for city, scale in scheme.cities.items():
        yield from _scale_findings(("cities", city, "bands"), scale, scheme)


def _limit_findings(path: Path, limit: Limit, scheme: Scheme) -> Iterator[Finding]:
    if found := list(_not_every_tier(path, limit.fen, scheme)):
        yield from found
    elif any(limit.fen[lower] > limit.fen[higher] for lower, higher in pairwise(scheme.tiers)):
        yield Finding(
            path, "A higher tier has a lower limit.", "Let limits stay or grow from tier to tier."
        )


def _scale_findings(path: Path, scale: Scale, scheme: Scheme) -> Iterator[Finding]:
    if found := list(_not_every_tier(path, scale.bands, scheme)):
        yield from found
        return
    for tier in scheme.tiers:
        least, beyond = scale.bands[tier]
        if least >= beyond:
            yield Finding(
                path, f"`{tier}` ends before it begins.", "Write the first band, then one past it."
            )
    for lower, higher in pairwise(scheme.tiers):
        if scale.bands[lower][1] != scale.bands[higher][0]:
            yield Finding(
                path,
                f"`{higher}` does not begin where `{lower}` ends.",
                "Let each tier begin with the band at which the one below it ends.",
            )


def _not_every_tier(path: Path, by_tier: Collection[str], scheme: Scheme) -> Iterator[Finding]:
    for tier in scheme.tiers:
        if tier not in by_tier:
            yield Finding(path, f"`{tier}` is missing.", "Give a value for every tier.")
    for tier in by_tier:
        if tier not in scheme.tiers:
            yield _unknown(path, tier, scheme)


def _unknown(path: Path, tier: str, scheme: Scheme) -> Finding:
    return Finding(path, f"There is no tier `{tier}`.", f"Use one of: {', '.join(scheme.tiers)}.")
