"""The invented region of the vectors: its time, cities, keys, scheme. No such agreement exists."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any, Final

from tests.protocol.making.jws import Pair, edwards, pair

#: 2026-09-21T14:13:20Z, 22:13:20 in Asia/Shanghai.
NOW: Final = 1_790_000_000

REGION: Final = "https://region.example"
LIST: Final = f"{REGION}/trust-list"

A, B, C = "330100", "330200", "320500"
NAMES = {A: ("示例杭州", "Example Hangzhou"), B: ("示例宁波", "Example Ningbo"),
         C: ("示例苏州", "Example Suzhou")}  # fmt: skip
ISSUERS = {
    A: "https://credit.hangzhou.example",
    B: "https://credit.ningbo.example",
    C: "https://credit.suzhou.example",
}

_LABELS = [
    f"{code}-{use}"
    for code in (A, B, C)
    for use in ("client", "grant", "status", "operator-1", "operator-2", "operator-3")
]
KEYS: dict[str, Pair] = {
    label: pair(label) for label in (*_LABELS, "region", "visitor", "visitor-2", "stranger")
} | {
    label: edwards(label)
    for label in (f"{A}-grant-ed", f"{A}-status-ed", "region-ed", f"{B}-operator-ed", "visitor-ed")
}

SCHEME_NAME = {"id": "vector-delta", "version": 1}


def uid(label: str) -> str:
    """A UUID of a label."""
    raw = hashlib.sha256(f"uuid {label}".encode()).digest()[:16]
    return str(uuid.UUID(bytes=raw, version=4))


def key(code: str, use: str) -> Pair:
    """A key of a city."""
    return KEYS[f"{code}-{use}"]


def named(code: str, purpose: str, use: str | None = None) -> dict[str, Any]:
    """A key of a city as an entry lists it."""
    return {"purpose": purpose, "jwk": key(code, use or purpose).jwk}


def entry(code: str, /, **changes: Any) -> dict[str, Any]:
    """A city's entry, with changes; a member set to `...` is left out."""
    issuer = ISSUERS[code]
    operators = ("operator-1", "operator-2", "operator-3")
    honest = {
        "code": code,
        "name": dict(zip(("zh", "en"), NAMES[code], strict=True)),
        "contact": "0000-0000000",
        "issuer": issuer,
        "endpoints": {
            "par": f"{issuer}/oauth/par",
            "authorize": f"{issuer}/oauth/authorize",
            "token": f"{issuer}/oauth/token",
        },
        "redirect_uris": [f"{issuer}/recognition/callback"],
        "scenarios": ["library", "points", "rent"] if code == B else ["library", "rent"],
        "schemes": [SCHEME_NAME],
        "keys": [named(code, use) for use in ("client", "grant", "status")],
        "operators": [{"name": use, "jwk": key(code, use).jwk} for use in operators],
    } | changes
    return {name: value for name, value in honest.items() if value is not ...}


_SOURCE = {"source": "示例：没有公布的数字", "illustrative": True}


def scale(**bands: list[int]) -> dict[str, Any]:
    """A city's bands by tier."""
    return {"bands": bands, **_SOURCE}


def scheme(**changes: Any) -> dict[str, Any]:
    """The scheme of the vectors, with changes; a member set to `...` is left out."""
    honest = {
        **SCHEME_NAME,
        "from": "2026-01-01",
        "title": {"zh": "测试向量互认表（示例）", "en": "Scheme of the vectors (example)"},
        "tiers": ["T1", "T2", "T3"],
        "needs": {
            "library": {"tier": "T1", **_SOURCE},
            "points": {"tier": "T1", **_SOURCE},
            "rent": {"tier": "T2", **_SOURCE},
        },
        "limits": {"rent": {"fen": {"T1": 0, "T2": 50_000, "T3": 100_000}, **_SOURCE}},
        "cities": {
            A: scale(T1=[3, 4], T2=[4, 5], T3=[5, 6]),
            B: scale(T1=[2, 4], T2=[4, 5], T3=[5, 6]),
            C: scale(T1=[3, 6], T2=[6, 8], T3=[8, 10]),
        },
    } | changes
    return {name: value for name, value in honest.items() if value is not ...}
