"""Canaries: made-up personal data, each unmistakable, planted in every position of every route."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from gateway.local.people import synthetic_number
from tests.gateway.http.door import Door

#: Members in which the contract stores what the caller sends, as it came: names and numbers of the
#: caller's own, which its documentation says are never a person's.
STORED = {
    *("staff", "reference", "request_id", "out_request_no", "return_uri", "idempotency-key"),
    *("name", "purpose"),
}

_CIVIL = date(1971, 2, 3)


class Cage:
    """Makes canaries and remembers each."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.planted: set[str] = set()

    def next(self) -> str:
        """Another canary: an identity number, a telephone, a name, a login, a token, a subject."""
        n = next(self._numbers)
        made = (
            synthetic_number(9_000_000 + n, _CIVIL),
            f"1399{n * 7919 % 10_000_000:07}",
            f"金丝雀{chr(0x5000 + n)}{chr(0x6000 + n)}",
            f"canary.{n:05}@login.example",
            f"eyJhbGciOiJFUzI1NiJ9.Y2FuYXJ5{n:06}.c2lnbmF0dXJl{n:06}",
            f"AQcanary{n:06}".ljust(44, "A"),
        )[n % 6]
        self.planted.add(made)
        return made

    def plain(self) -> str:
        """A canary that any strict pattern of a label takes: letters and digits."""
        n = next(self._numbers)
        made = f"canary{n:06}"
        self.planted.add(made)
        return made


class Planted(msgspec.Struct, frozen=True):
    """A request with canaries in it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def requests(door: Door, document: dict[str, Any], cage: Cage) -> Iterator[Planted]:
    """Every route with canaries in every position, as the caller that the route is for."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            held = proof(door, operation["security"])
            yield from _route(method.upper(), path, held, cage)
            yield from _bodies(method.upper(), path, operation, document, held, cage)


def proof(door: Door, security: list[dict[str, Any]]) -> dict[str, str]:
    """The header fields of a caller that the operation is for."""
    kinds = {kind for choice in security for kind in choice}
    if "party" in kinds:
        return {"authorization": f"Bearer {door.caller.token}"}
    if "citizen" in kinds:
        return {"cookie": f"qianjiang-session={door.visit.cookie}", "x-csrf-token": door.visit.csrf}
    if "staff" in kinds:
        return {"cookie": f"qianjiang-counter={door.clerk.cookie}", "x-csrf-token": door.clerk.csrf}
    return {}


def _address(path: str, cage: Cage | None = None) -> str:
    def value(found: re.Match[str]) -> str:
        if cage is not None:
            return quote(cage.next(), safe="")
        return "rent" if found[1] == "scenario" else "00000000-0000-0000-0000-000000000007"

    return re.sub(r"{(\w+)}", value, path)


def _route(method: str, path: str, proof: dict[str, str], cage: Cage) -> Iterator[Planted]:
    """Target and header fields."""
    address = _address(path)
    yield Planted(method, _address(path, cage), proof, b"")
    yield Planted(method, f"{address}/{quote(cage.next(), safe='')}", proof, b"")
    query = urlencode({cage.next(): cage.next(), "return_to": f"/{cage.plain()}"})
    yield Planted(method, f"{address}?{query}", proof, b"")
    yield Planted(method, f"{address}?{urlencode({'code': cage.next(), 'state': cage.next()})}",
                  {"cookie": f"qianjiang-login={cage.plain()}"}, b"")  # fmt: skip
    for name in ("authorization", "cookie", "idempotency-key", "x-csrf-token", "user-agent",
                 "referer", "origin", "traceparent", "x-forwarded-for", "content-type", "dpop",
                 "accept", "x-request-id"):  # fmt: skip
        yield Planted(method, address, proof | {name: cage.next()}, b"{}")
    yield Planted(method, address, {"authorization": f"Bearer {cage.next()}"}, b"")
    yield Planted(method, address, {"cookie": f"qianjiang-session={cage.plain()}"}, b"")


def _bodies(
    method: str,
    path: str,
    operation: dict[str, Any],
    document: dict[str, Any],
    proof: dict[str, str],
    cage: Cage,
) -> Iterator[Planted]:
    """Known members, unknown ones, names of members, and bodies that are none."""
    address = _address(path)
    key = {"idempotency-key": f'"k-{path}-{method}"'}
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        head = proof | key | {"content-type": media}
        if media == "application/x-www-form-urlencoded":
            for name in content["schema"]["properties"]:
                yield Planted(method, address, head, urlencode({name: cage.next()}).encode())
            continue
        for shape in _shapes(content["schema"], document):
            members = dict.fromkeys(shape.get("properties", {}), "x")
            for name in members.keys() - STORED:
                yield _json(method, address, head, members | {name: cage.next()})
                yield _json(method, address, head, members | {name: {cage.next(): cage.next()}})
            yield _json(method, address, head, {**members, cage.next(): cage.next()})
        yield Planted(method, address, head, f'{{"subject": "{cage.next()}'.encode())
        yield Planted(method, address, head, cage.next().encode() + b"\xff")
        yield Planted(method, address, head, json.dumps([cage.next()]).encode())


def _json(method: str, address: str, head: dict[str, str], members: dict[str, Any]) -> Planted:
    return Planted(method, address, head, json.dumps(members, ensure_ascii=False).encode())


def _shapes(schema: dict[str, Any], document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for choice in schema.get("oneOf", [schema]):
        reference = choice.get("$ref", "").rpartition("/")[2]
        yield document["components"]["schemas"][reference] if reference else choice
