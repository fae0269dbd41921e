"""Every route has its kind at the door; a closed door is a 503 that says when to return."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from litestar.types import HTTPScope

from gateway.admission import RETRY_S
from gateway.edge.admission import of_party, of_request
from gateway.local.valkey import Valkey
from gateway.store.migrate import Connection
from gateway.waiting_line import Priority
from tests.engines import Database
from tests.gateway.callers import Callers
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.edge.asgi import scope
from tests.gateway.edge.table import framework_of, rows_of

HOT = "/v1/scenarios/rent/eligibility"

#: What citizens take back, and what they sign; every other route follows from who calls it.
WITHDRAWN = {
    "POST /v1/me/consents/{consent}/withdraw",
    "POST /v1/me/consents/{consent}/pause",
    "POST /v1/me/commitments/{commitment_id}/withdrawal",
    "POST /v1/me/devices/{device_id}/revocation",
    "POST /v1/me/score-authorisation",
    "POST /v1/me/closure",
    "POST /v1/counter/assisted/withdrawals",
    "GET /status-lists/{list_id}",  # other cities read there what was taken back
}
SIGNED = {
    "POST /v1/me/consent-requests/{token}/grant",
    "POST /v1/me/consent-requests/{token}/decline",
    "POST /v1/me/recognition-requests/{recognition_request}/allow",
    "POST /v1/me/recognition-requests/{recognition_request}/decline",
    "POST /v1/me/consents/{consent}/resume",
    "POST /v1/me/consents/{consent}/frequency",
    "POST /v1/me/commitments",
    "POST /v1/me/commitments/drafts",
    "POST /v1/counter/assisted/records",
}
EXEMPT = ("/healthz", "/readyz", "/openapi.json", "/.well-known/", "/oauth/token")
CREDENTIALS = {"grant_type": "client_credentials"}
CITIZENS = ("/v1/me", "/v1/login", "/v1/logout", "/app/", "/oauth/authorize")


@pytest.fixture
async def callers(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path
) -> AsyncIterator[Callers]:
    """A worker with one room and no line, which a test may close."""
    urls = database.gateway_url, owner, valkey.url
    async with open_test_city(*urls, tmp_path, admission_in_flight=1, admission_waiting=0) as town:
        await town.party()
        yield Callers(town)


def kind(method: str, path: str) -> Priority | None:
    return of_request(cast(HTTPScope, scope(method=method, path=path)))


def closed(answer: httpx.Response) -> bool:
    wait_s = int(answer.headers.get("retry-after", "0"))
    return (
        answer.status_code == 503
        and answer.headers["content-type"] == "application/problem+json"
        and answer.json()["type"]
        == "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
        and RETRY_S <= wait_s <= 2 * RETRY_S
    )


async def question(town: TestCity) -> dict[str, Any]:
    principal = town.principal()
    citizen, sector = await town.ready(), principal.party.registrations["rent"].view.sector
    facts = town.city.registry["rent"].manifest.example_at(town.city.clock.now_us())
    return {"subject": town.city.pseudonyms.subject(citizen, sector), "facts": facts}


async def test_every_route_has_the_kind_of_what_it_does(town: TestCity) -> None:
    table = {f"{row.method} {row.path}": row for row in rows_of(framework_of(town)) if not row.hot}
    assert table.keys() >= WITHDRAWN | SIGNED
    for name, row in table.items():
        if row.path.startswith(EXEMPT):
            expected = None
        elif name in WITHDRAWN:
            expected = Priority.WITHDRAW
        elif name in SIGNED:
            expected = Priority.SIGN
        elif row.path.startswith(CITIZENS):
            expected = Priority.CITIZEN
        else:
            expected = Priority.MERCHANT
        assert kind(row.method, row.at()) == expected, name


def test_a_reading_is_no_withdrawal_and_an_unknown_address_is_nothing_urgent() -> None:
    assert kind("GET", "/v1/me/consents/1/withdraw") is Priority.CITIZEN
    assert kind("POST", "/v1/consents/withdraw") is Priority.MERCHANT
    assert kind("POST", "/withdraw") is Priority.MERCHANT


@pytest.mark.parametrize(
    ("party", "expected"),
    [
        ("hospital", Priority.HOSPITAL),
        *((other, Priority.MERCHANT) for other in ("merchant", "library", "community", "city")),
    ],
)
def test_a_partys_kind_is_its_place(party: str, expected: Priority) -> None:
    assert of_party(party) is expected


async def test_a_closed_door_is_a_503_on_both_ways_and_no_secret_is_asked_for(
    callers: Callers,
) -> None:
    assert callers.town.city.admission.try_enter(Priority.WITHDRAW)
    citizen = await callers.citizen(await callers.town.citizen())
    assert closed(await callers.stranger().get("/v1/me"))
    assert closed(await citizen.get("/v1/me/devices"))
    assert closed(await callers.party().get("/v1/consent-requests/x"))
    asked = await question(callers.town)
    assert (await callers.stranger().post(HOT, json=asked)).status_code == 401
    assert closed(await callers.party().post(HOT, json=asked))
    assert closed(await callers.stranger().post("/oauth/token", data=CREDENTIALS))
    assert await callers.town.owner.fetchval("SELECT count(*) FROM decision") == 0
    callers.town.city.admission.leave()
    assert (await citizen.get("/v1/me/devices")).status_code == 200
    assert (await callers.party().post(HOT, json=asked)).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/.well-known/jwks.json"])
async def test_what_watches_the_gateway_gets_through_a_closed_door(
    callers: Callers, path: str
) -> None:
    assert callers.town.city.admission.try_enter(Priority.WITHDRAW)
    assert (await callers.stranger().get(path)).status_code == 200


async def test_whatever_a_request_comes_to_its_room_is_free_again(callers: Callers) -> None:
    door, asked = callers.town.city.admission, await question(callers.town)
    party, citizen = callers.party(), await callers.citizen(await callers.town.citizen())
    for status, answer in [
        (401, await callers.stranger().get("/v1/me")),
        (404, await party.get("/nothing/here")),
        (405, await party.request("DELETE", "/v1/me")),
        (400, await party.post(HOT, json={})),
        (400, await callers.stranger().post("/oauth/token", data={"x": "y"})),
        (401, await callers.stranger().post("/oauth/token", data=CREDENTIALS)),
        (400, await party.post(HOT, json=asked | {"subject": "A" * 44})),
        (
            404,
            await citizen.post(f"/v1/me/consents/{callers.town.city.ids.random_uuid()}/withdraw"),
        ),
        (200, await party.post(HOT, json=asked)),
    ]:
        assert answer.status_code == status
        assert door.in_flight == 0


async def test_waits_of_those_turned_away_are_spread(callers: Callers) -> None:
    assert callers.town.city.admission.try_enter(Priority.WITHDRAW)
    stranger = callers.stranger()
    waits = {(await stranger.get("/v1/me")).headers["retry-after"] for _ in range(30)}
    assert len(waits) > 1
