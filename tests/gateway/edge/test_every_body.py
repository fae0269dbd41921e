"""Every route that takes JSON, met with bodies that decoders get wrong: 400, 413 or 415, always."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.edge.access import Access
from tests.gateway.callers import Callers, key
from tests.gateway.city import TestCity
from tests.gateway.edge.table import Row, framework_of, rows_of

JSON = "application/json"

#: What is wrong, the content type, the body, the status.
CASES: dict[str, tuple[str | None, bytes, int]] = {
    "nothing": (JSON, b"", 400),
    "a list": (JSON, b"[]", 400),
    "a word": (JSON, b'"x"', 400),
    "no JSON": (JSON, b"{x}", 400),
    "half of it": (JSON, b'{"a": ', 400),
    "invalid UTF-8": (JSON, b'{"a": "\xff"}', 400),
    "invalid UTF-8 in a name": (JSON, b'{"\xff": 1}', 400),
    "1,500 deep": (JSON, b'{"a": ' + b"[" * 1_500 + b"]" * 1_500 + b"}", 400),
    "17 deep": (JSON, b'{"a": ' + b"[" * 17 + b"]" * 17 + b"}", 400),
    "a repeated member": (JSON, b'{"a": 1, "a": 1}', 400),
    "a member repeated by an escape": (JSON, b'{"a": 1, "\\u0061": 1}', 400),
    "2^70": (JSON, b'{"a": 1180591620717411303424}', 400),
    "NaN": (JSON, b'{"a": NaN}', 400),
    "1e400": (JSON, b'{"a": 1e400}', 400),
    "\\u0000": (JSON, b'{"a": "\\u0000"}', 400),
    "a lone surrogate": (JSON, b'{"a": "\\ud800"}', 400),
    "a byte order mark": (JSON, b"\xef\xbb\xbf{}", 400),
    "UTF-16": (JSON, "{}".encode("utf-16"), 400),
    "trailing bytes": (JSON, b"{}{}", 400),
    "an unknown member": (JSON, b'{"nobody-knows-this": 1}', 400),
    "300 members": (JSON, b"{" + b",".join(b'"%d":0' % n for n in range(300)) + b"}", 400),
    "a long string": (JSON, b'{"a": "' + b"x" * 1_100 + b'"}', 400),
    "too much": (JSON, b" " * 70_000 + b"{}", 413),
    "JSON as text": ("text/plain", b"{}", 415),
    "JSON as a form": ("application/x-www-form-urlencoded", b"{}", 415),
    "JSON as JSON in UTF-16": ("application/json; charset=utf-16", b"{}", 415),
    "JSON as nothing": (None, b"{}", 415),
}


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    return Callers(town)


def _takes_json(town: TestCity) -> list[tuple[Row, bool]]:
    """The routes with a JSON body, and whether AuthZEN's own rules hold there."""
    found = []
    for route in framework_of(town).routes:
        for method, (handler, _) in getattr(route, "route_handler_map", {}).items():
            if "data" in handler.parsed_fn_signature.parameters:
                row = Row(route.path_format, method, handler.opt.get("access"))
                found.append((row, bool(handler.opt.get("authzen"))))
    assert len(found) >= 6
    return found


async def _send(client: httpx.AsyncClient, row: Row, kind: str | None, body: bytes) -> Any:
    headers = key("k") | ({"content-type": kind} if kind is not None else {})
    return await client.request(row.method, row.at(), content=body, headers=headers)


async def test_no_body_is_taken_for_something_else(callers: Callers) -> None:
    takers = {row for row, _ in _takes_json(callers.town)}
    assert takers < set(rows_of(framework_of(callers.town)))
    party, me = callers.party(), await callers.citizen(await callers.town.citizen())
    clients = {Access.CITIZEN: me, Access.STAFF: await callers.clerk()}
    for row, authzen in _takes_json(callers.town):
        client = clients.get(row.access or Access.PARTY, party)
        for name, (kind, body, wanted) in CASES.items():
            if name == "an unknown member" and authzen:
                continue  # AuthZEN 1.0: unknown members are ignored
            answer = await _send(client, row, kind, body)
            expected = 400 if authzen and wanted == 415 else wanted
            assert answer.status_code == expected, (row, name, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_fault_names_its_place_and_no_value(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    clients = {Access.CITIZEN: me, Access.STAFF: await callers.clerk()}
    for row, _ in _takes_json(callers.town):
        client = clients.get(row.access or Access.PARTY, callers.party())
        answer = await _send(client, row, JSON, b'{"a/b~c": "330106200001011234"}')
        assert answer.status_code == 400, row
        for fault in answer.json()["errors"]:
            assert fault["pointer"] == "" or fault["pointer"].startswith("/"), row
        assert "330106200001011234" not in answer.text, row
