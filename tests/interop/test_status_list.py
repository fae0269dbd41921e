"""npm's `@sd-jwt/jwt-status-list` reads our status lists, and we read those that it makes."""

from __future__ import annotations

import random
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway import jobs
from gateway.claims import Kind, StatusListClaims
from gateway.clock import SECOND_US
from gateway.jose import Passed, verify
from gateway.jwk import Alg, Key, public_jwk
from gateway.keys import b64url
from gateway.recognition.status_bits import SIZE, is_set, raw_from
from tests.gateway import forge
from tests.gateway.apps import transport_of
from tests.gateway.city import TestCity
from tests.gateway.recognition.home import consent_of, recognised
from tests.interop.node import Node

SCRIPT = "status_list.mjs"


async def test_it_reads_exactly_what_ended_from_what_we_publish(town: TestCity, node: Node) -> None:
    citizens = [await town.citizen() for _ in range(12)]
    made = [await recognised(town, citizen) for citizen in citizens]
    for citizen, recognition in list(zip(citizens, made, strict=True))[:7]:
        await town.city.consents.withdraw(citizen, await consent_of(town, recognition))
    await jobs.copy_status(town.city)
    rows = await town.owner.fetch("SELECT status_list, status_idx, ended_at FROM recognition")
    (number,) = {row["status_list"] for row in rows}
    issuer, uri = town.city.settings.issuer, town.city.status_lists.uri(number)
    transport = transport_of(town.city)
    async with httpx.AsyncClient(transport=transport, base_url=issuer) as http:
        answer = await http.get(uri, headers={"accept": "application/statuslist+jwt"})
    ((kid, key),) = town.city.keys.city_status.items()
    now_s = town.city.clock.now_us() // SECOND_US
    jwk = public_jwk(Key(kid, Alg.ES256, key.public_key()))
    given = {"token": answer.text, "jwk": jwk, "issuer": issuer, "uri": uri, "now": now_s}
    told = node.run(SCRIPT, {"read": given})
    assert told["size"] == SIZE
    assert told["set"] == sorted(row["status_idx"] for row in rows if row["ended_at"] is not None)
    assert len(told["set"]) == 7
    assert (told["kid"], told["ttl"]) == (kid, 15)


@pytest.mark.parametrize("size", [8, 1 << 17, 1_000_000])
def test_we_read_exactly_what_it_set(node: Node, size: int) -> None:
    entries = sorted(random.Random(size).sample(range(size), size // 8))
    uri = f"{forge.ISSUER}/status-lists/1"
    given: dict[str, Any] = {"jwk": _private(forge.PRIVATE), "kid": forge.KID, "now": forge.NOW_S}
    given |= {"issuer": forge.ISSUER, "uri": uri, "size": size, "set": entries}
    token = node.run(SCRIPT, {"make": given})["token"]
    answer = verify(
        token,
        Kind.STATUS_LIST,
        forge.KEYS,
        issuer=forge.ISSUER,
        audience=uri,
        now_us=forge.NOW_S * SECOND_US,
    )
    assert isinstance(answer, Passed), answer
    assert isinstance(answer.claims, StatusListClaims)
    raw = raw_from(answer.claims.status_list.lst)
    assert len(raw) * 8 == size
    assert [entry for entry in range(size) if is_set(raw, entry)] == entries


def _private(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.private_numbers()
    point = numbers.public_numbers
    parts = {"x": point.x, "y": point.y, "d": numbers.private_value}
    return {"kty": "EC", "crv": "P-256"} | {
        name: b64url(part.to_bytes(32, "big")) for name, part in parts.items()
    }
