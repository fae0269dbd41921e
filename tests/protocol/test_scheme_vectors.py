"""Schemes: this gateway decides as the vectors say."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from scenarios.scheme_text import SchemeError, parse_scheme
from scenarios.schemes import Scheme
from tests.protocol import schemas
from tests.protocol.vectors import Case, cases


def toml_of(value: Any) -> str:
    """A scheme as the gateway's files spell it: an object is an inline table."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{name}" = {toml_of(each)}' for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_of, value)) + "]"
    return msgspec.json.encode(value).decode()


def read(document: dict[str, Any]) -> Scheme:
    lines = []
    for name, value in document.items():
        is_date = name == "from" and len(value) == 10
        lines.append(f"{name} = {value if is_date else toml_of(value)}")
    return parse_scheme("\n".join(lines).encode(), "vector.toml")


def asked(scheme: Scheme, given: dict[str, Any]) -> dict[str, Any] | str:
    """The answer to a question about a good scheme, or why there is none."""
    city, tier = given.get("city", ""), given.get("tier", "")
    if city and city not in scheme.cities:
        return "city"
    if tier and tier not in scheme.tiers:
        return "tier"
    match given["ask"]:
        case "document":
            return {}
        case "tier":
            found = scheme.tier_of(city, given["band"])
            return "none" if found is None else {"tier": found}
        case "band":
            return {"band": scheme.band_of(city, tier)}
        case "needed":
            known = scheme.needs.keys() >= set(given["scenarios"])
            return {"tier": scheme.needed(given["scenarios"])} if known else "scenario"
        case "limit":
            return {"limit": scheme.limit(given["scenario"], tier)}
        case "carry":
            return carried(scheme, given["band"], given["cities"])
    raise AssertionError(given["ask"])


def carried(scheme: Scheme, band: int, cities: list[str]) -> dict[str, Any] | str:
    for here, there in pairwise(cities):
        tier = scheme.tier_of(here, band)
        if tier is None:
            return "none"
        band = scheme.band_of(there, tier)
    return {"band": band}


def verdict(given: dict[str, Any]) -> dict[str, Any] | str:
    try:
        scheme = read(given["scheme"])
    except SchemeError:
        return "meaning" if schemas.is_valid("scheme", given["scheme"]) else "form"
    return asked(scheme, given)


@pytest.mark.parametrize("case", cases("schemes.json"), ids=lambda case: case.id)
def test_a_scheme_says_what_the_vectors_say(case: Case) -> None:
    assert verdict(case.given) == (case.reason or case.expect["accept"])


def test_what_is_read_is_what_is_published() -> None:
    given = cases("schemes.json")[0].given["scheme"]
    published = msgspec.json.decode(msgspec.json.encode(read(given).public()))
    assert published == given
    assert schemas.is_valid("scheme", published)
