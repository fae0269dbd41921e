"""What is one caller's is nothing to another: every route with an id, generated from the table.

A route whose path names an object is asked for somebody else's object. The answer must be the very
one that an id of nobody gets: a different one would say that the object exists. A new route of
this kind fails here until this file knows how to make its object.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from gateway.edge.access import Access
from gateway.sessions import hash_of
from tests.gateway.callers import Callers, body, key
from tests.gateway.citizens.browser import Phone
from tests.gateway.city import TestCity
from tests.gateway.edge.table import Row, framework_of, rows_of
from tests.gateway.web.people import enrolled

#: Path parameters that name no one's object: what the city offers to everybody, and what is printed
#: on a party's door.
PUBLIC_NAMES = {"scenario", "desk"}

#: Bodies where a route wants one before it looks at the id.
GRANT = {"text_sha256": "0" * 64}
BODIES: dict[str, Any] = {
    "/v1/me/consent-requests/{token}/grant": GRANT,
    "/v1/me/recognition-requests/{recognition_request}/allow": GRANT,
    "/v1/me/consents/{consent}/frequency": {"frequency": 1},
    "/v1/me/devices/{device_id}/name": {"name": "q"},
    "/v1/me/devices/{device_id}/revocation": {},
}

Objects = dict[str, str]


class World(msgspec.Struct, frozen=True):
    """One party's and one citizen's objects by path parameter, and those who do not own them."""

    objects: Objects
    owner: httpx.AsyncClient
    citizen: httpx.AsyncClient
    rival: httpx.AsyncClient
    neighbour: httpx.AsyncClient
    clerk: httpx.AsyncClient
    clerks: list[httpx.AsyncClient]
    callers: Callers


@pytest.fixture
async def world(town: TestCity) -> World:
    await town.party()
    await town.party("rival", entity="rival-house")
    callers = Callers(town)
    citizen = await town.ready()
    me = await callers.citizen(citizen)
    next_door = await enrolled(town)
    await town.consent(next_door)
    await town.commitment(next_door)
    neighbour = await callers.citizen(next_door)
    party = callers.party()
    clerk = await callers.clerk()
    objects = await _objects(town, party, me, citizen) | await _staffs_objects(town)
    objects |= await _asked_elsewhere(town, me, citizen)
    return World(
        objects,
        party,
        me,
        callers.party("rival"),
        neighbour,
        clerk,
        [await callers.clerk("wang.wei"), await callers.clerk("rival.one", party="rival")],
        callers,
    )


async def _objects(
    town: TestCity, party: httpx.AsyncClient, me: httpx.AsyncClient, citizen: UUID
) -> Objects:
    asked = {"scenario": "rent", "purpose": "deposit_free_rental", "out_request_no": "r-1"}
    request = body(await party.post("/v1/consent-requests", json=asked), 201)
    # A link is whoever's holds it until its first reader: here that is our citizen.
    token = request["link"].rpartition("/")[2]
    shown = body(await me.get(f"/v1/me/consent-requests/{token}"))
    granting = {"text_sha256": shown["text"]["sha256"]}
    consent = body(await me.post(shown["grant"], json=granting, headers=key("g")))
    phone = Phone()
    device = body(
        await me.post("/v1/me/devices", json={"name": "p", "jwk": phone.jwk}, headers=key("d")),
        201,
    )
    draft = body(await me.post("/v1/me/commitments/drafts", json={"scenario": "rent"}), 201)
    signed = {"jws": phone.sign(draft)}
    commitment = body(await me.post("/v1/me/commitments", json=signed, headers=key("c")), 201)
    decision = str((await town.ask(citizen)).decision)
    return {
        "request_id": request["id"],
        "token": token,
        "consent": consent["id"],
        "device_id": device["id"],
        "commitment_id": commitment["id"],
        "decision": decision,
        "decision_id": decision,
    }


async def _asked_elsewhere(town: TestCity, me: httpx.AsyncClient, citizen: UUID) -> Objects:
    """Another city's request, bound to the citizen's session; it may ask no more since."""
    city = await town.party(
        "city-330200", scenarios=("recognition",), kind="city", entity="ningbo", city="330200"
    )
    identifier = town.city.ids.random_uuid()
    await town.owner.execute(
        "INSERT INTO recognition_request (id, uri_hash, party, redirect_uri, scenarios, state,"
        " code_challenge, jkt, status, citizen, session, expires_at)"
        " VALUES ($1, sha256(uuid_send($1)), $2, 'https://330200.example/back', '{library}', 's',"
        " 'c', 'k', 'opened', $3, $4, clock_timestamp() + interval '10 minutes')",
        *(identifier, city.party.row.num, citizen),
        hash_of(me.cookies[town.city.sessions.cookie]),
    )
    return {"recognition_request": str(identifier)}


async def _staffs_objects(town: TestCity) -> Objects:
    """A security key of the one member of staff there is."""
    identifier = town.city.ids.random_uuid()
    await town.owner.execute(
        "INSERT INTO counter_key (id, staff, credential, public_key, sign_count, name)"
        " SELECT $1, id, 'c', 'k', 0, 'key' FROM counter_staff",
        identifier,
    )
    return {"key": str(identifier)}


def object_rows(town: TestCity) -> list[Row]:
    return [
        row
        for row in rows_of(framework_of(town))
        if set(row.parameters) - PUBLIC_NAMES and row.access is not Access.PUBLIC
    ]


async def send(client: httpx.AsyncClient, row: Row, objects: Objects) -> httpx.Response:
    return await client.request(
        row.method,
        row.at(objects),
        json=BODIES.get(row.path) if row.method != "GET" else None,
        headers=key(f"k-{row.path}-{client.headers.get('authorization', '')[-8:]}"),
    )


def strangers_of(world: World, row: Row) -> list[httpx.AsyncClient]:
    return {
        Access.PARTY: [world.rival],
        Access.CITIZEN: [world.neighbour],
        Access.PARTY_OR_CITIZEN: [world.rival, world.neighbour],
        Access.STAFF: world.clerks,
    }[row.access or Access.PARTY]


async def test_every_route_with_an_object_is_known_here(world: World) -> None:
    rows = object_rows(world.callers.town)
    assert len(rows) >= 10
    unknown = {name for row in rows for name in row.parameters} - PUBLIC_NAMES - set(world.objects)
    assert unknown == set(), "teach `_objects` to make one of these"


async def test_anothers_object_is_an_object_of_nobody(world: World) -> None:
    nobodys = dict.fromkeys(world.objects, str(UUID(int=7)))
    # A token that nobody was given: ours with its last character but one changed.
    token = world.objects["token"]
    nobodys["token"] = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    for row in object_rows(world.callers.town):
        for stranger in strangers_of(world, row):
            found = await send(stranger, row, world.objects)
            missing = await send(stranger, row, nobodys)
            assert found.status_code in (403, 404), (row, found.text)
            assert (found.status_code, found.content) == (missing.status_code, missing.content), row


async def test_an_attempt_changes_nothing(world: World) -> None:
    async def state() -> list[Any]:
        me, party = world.citizen, world.owner
        request = f"/v1/consent-requests/{world.objects['request_id']}"
        return [
            *[body(await me.get(path)) for path in ("/v1/me/consents", "/v1/me/devices")],
            body(await me.get("/v1/me/commitments")),
            body(await party.get(request)),
            body(await world.clerk.get("/v1/counter/keys")),
        ]

    before = await state()
    for row in object_rows(world.callers.town):
        for stranger in strangers_of(world, row):
            await send(stranger, row, world.objects)
    assert await state() == before


async def test_the_owners_pass(world: World) -> None:
    """The control: the objects are real, and the same requests reach them as their owners'."""
    for row in sorted(object_rows(world.callers.town), key=lambda row: row.method != "GET"):
        owner = {Access.PARTY: world.owner, Access.STAFF: world.clerk}.get(
            row.access or Access.PARTY, world.citizen
        )
        answer = await send(owner, row, world.objects)
        # A decided request cannot be decided again, which only its own citizen gets to hear.
        passed = {200} if row.method == "GET" else {200, 204, 409}
        assert answer.status_code in passed, (row, answer.text)


async def test_lists_hold_the_callers_own_alone(world: World) -> None:
    lists = [
        row
        for row in rows_of(framework_of(world.callers.town))
        if row.method == "GET"
        and not row.parameters
        and row.access is Access.CITIZEN
        # A stream does not end; tests/gateway/edge/test_lookup_stream.py looks at whose it is.
        and not row.path.endswith("/stream")
    ]
    assert lists
    for row in lists:
        answer = await world.neighbour.get(row.at())
        # A page may lead on to another, or want to be told what it is about; a citizen of the city
        # has no visit here.
        elsewhere = row.path.startswith("/app") or row.path == "/v1/me/visit"
        passed = {200, 303, 404} if elsewhere else {200}
        assert answer.status_code in passed, (row, answer.text)
        for name, identifier in world.objects.items():
            assert identifier not in answer.text, (row, name)
