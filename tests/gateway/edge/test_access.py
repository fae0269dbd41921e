"""The access table over every route there is: strangers first, then credentials of other kinds."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar, get

from gateway.claims import AccessClaims, Kind
from gateway.clock import SECOND_US
from gateway.edge import access, problems
from gateway.edge.access import Access
from gateway.jose import sign
from gateway.sessions import CSRF_HEADER
from tests.gateway import forge
from tests.gateway.callers import CHALLENGE, Callers
from tests.gateway.city import TestCity
from tests.gateway.edge.table import ANY, HOT, SAFE, Row, framework_of, rows_of, undeclared

#: Routes for parties, and routes for citizens; those for both are in both lists.
PARTIES = {Access.PARTY, Access.PARTY_OR_CITIZEN}
CITIZENS = {Access.CITIZEN, Access.PARTY_OR_CITIZEN}


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    return Callers(town)


def rows(callers: Callers, kinds: set[Access]) -> list[Row]:
    found = [row for row in rows_of(framework_of(callers.town)) if row.access in kinds]
    assert found
    return found


async def send(client: httpx.AsyncClient, row: Row, **headers: str) -> httpx.Response:
    """Send a body of the wrong type: who may not call must not learn even that."""
    return await client.request(row.method, row.at(), content=b"?", headers=headers)


def unproved(response: httpx.Response) -> bool:
    return (
        response.status_code == 401
        and response.headers["content-type"] == "application/problem+json"
        and response.headers["www-authenticate"] == CHALLENGE
        and response.json()["type"] == "urn:qianjiang:problem:unauthenticated"
    )


# ------------------------------------------------------------------ the table


async def test_every_route_declares_who_may_call_it(town: TestCity) -> None:
    table = rows_of(framework_of(town))
    assert undeclared(table) == []
    assert {row.access for row in table} >= {Access.PUBLIC, Access.PARTY, Access.CITIZEN}


async def test_what_is_public_is_known(town: TestCity) -> None:
    """Whoever opens a route to everybody says so here as well."""
    public = {row.path for row in rows_of(framework_of(town)) if row.access is Access.PUBLIC}
    reads_nobody = {"/v1/scenarios", "/v1/scenarios/{scenario}"}
    reads_nobody |= {"/v1/recognition/schemes", "/v1/recognition/schemes/{scheme}/{version}"}
    assert public - reads_nobody <= {
        *("/healthz", "/readyz", "/openapi.json"),
        "/v1/recognition/agreements",
        *("/oauth/token", "/v1/login", "/v1/login/callback"),
        *("/oauth/par", "/oauth/authorize"),
        *("/v1/visits", "/v1/visits/token", "/v1/visits/session", "/recognition/callback"),
        *("/v1/counter/sign-in", "/v1/counter/second", "/v1/counter/enrolment"),
        *("/v1/counter/second/key", "/v1/counter/second/key/options"),
        *("/v1/counter/enrolment/link", "/v1/counter/enrolment/confirmation"),
        *("/.well-known/oauth-authorization-server", "/.well-known/authzen-configuration"),
        *("/.well-known/jwks.json", "/.well-known/webhook-keys.json"),
        "/status-lists/{list_id}",
        *("/counter/sign-in", "/counter/second", "/counter/enrol"),
        *("/app/sign-in", "/app/goodbye", "/app/static/{release}/{name}"),
        *("/app/visit", "/app/visit/arrive"),
    }


async def test_a_route_that_declares_nothing_is_closed_and_listed(town: TestCity) -> None:
    """The control: such a route added to an application with the gateway's own guard."""

    @get("/v1/forgotten", sync_to_thread=False)
    def forgotten() -> dict[str, str]:
        return {"secret": "yes"}

    @get("/v1/misspelt", opt={access.ACCESS: "everyone"}, sync_to_thread=False)
    def misspelt() -> dict[str, str]:
        return {"secret": "yes"}

    app = Litestar(
        [forgotten, misspelt],
        guards=[access.guard],
        exception_handlers=problems.EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
    )
    app.state.city = town.city
    assert undeclared(rows_of(app)) == ["GET /v1/forgotten", "GET /v1/misspelt"]
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # two spellings of ASGI's types
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        for path in ("/v1/forgotten", "/v1/misspelt"):
            answer = await http.get(path)
            assert unproved(answer)
            assert "secret" not in answer.text


# ------------------------------------------------------------------ parties' routes


def _bad_tokens(town: TestCity, session: str) -> dict[str, str]:
    """Credentials that are none, each beside what is wrong with it."""
    city, party = town.city, town.principal().party
    now_s = city.clock.now_us() // SECOND_US
    good = city.tokens.issue(party, "k1", ["scenario:rent"]).token
    kid = city.keys.token_kid
    signer = city.keys.token_signing[kid]
    claims: dict[str, Any] = {
        "iss": city.settings.issuer,
        "aud": city.settings.issuer,
        "sub": party.row.id,
        "client_id": party.row.id,
        "jti": "j" * 24,
        "iat": now_s,
        "exp": now_s + 300,
        "scope": "scenario:rent",
        "ckid": "k1",
        "prv": party.row.revision,
    }

    def signed(**changes: Any) -> str:
        return "Bearer " + sign(Kind.ACCESS, AccessClaims(**(claims | changes)), kid, signer)

    return {
        "nothing": "",
        "a word": "Bearer x",
        "three words": "Bearer x.y.z",
        "another scheme": f"Basic {good}",
        "expired": signed(iat=now_s - 400, exp=now_s - 100),
        "not yet": signed(iat=now_s + 200, exp=now_s + 400),
        "for another audience": signed(aud="https://other.example"),
        "from another issuer": signed(iss="https://other.example"),
        "of nobody": signed(sub="nobody", client_id="nobody"),
        "by a key that the party never had": signed(ckid="k9"),
        "signed by another": f"Bearer {forge.honest(Kind.ACCESS)}",
        **{f"a token of kind {kind.value}": f"Bearer {forge.honest(kind)}" for kind in Kind},
        "tampered with": f"Bearer {good[:-6]}AAAAAA",
        "a session": f"Bearer {session}",
        "an ID token": f"Bearer {forge.honest(Kind.ID)}",
        "yesterday's": signed(iat=now_s - 86_400, exp=now_s - 86_100),
        "empty": "Bearer ",
    }


async def test_no_route_of_parties_takes_a_bad_token(callers: Callers) -> None:
    session = await callers.town.city.sessions.begin(await callers.town.citizen())
    table = rows(callers, PARTIES)
    # One guard serves all: its own way and the hot route's get every token, the others the last.
    both = [next(row for row in table if row.hot is hot) for hot in (True, False)]
    tokens = _bad_tokens(callers.town, session)
    for number, (name, credential) in enumerate(tokens.items()):
        for row in table if number >= len(tokens) - 4 else both:
            async with callers.stranger(authorization=credential) as stranger:
                assert unproved(await send(stranger, row)), (name, row)


async def test_no_route_of_parties_takes_a_citizen_or_nobody(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    for row in rows(callers, {Access.PARTY}):
        assert unproved(await send(me, row)), row
        assert unproved(await send(callers.stranger(), row)), row
        assert (await send(callers.party(), row)).status_code not in (401, 403), row


async def test_a_suspended_party_may_do_nothing(callers: Callers) -> None:
    before = callers.party()
    await callers.town.owner.execute("UPDATE party SET status = 'suspended'")
    await callers.town.city.parties.refresh(force=True)
    for row in rows(callers, PARTIES):
        assert (await send(before, row)).status_code == 403, row


# ------------------------------------------------------------------ citizens' routes


async def test_no_route_of_citizens_opens_without_a_session(callers: Callers) -> None:
    city = callers.town.city
    ended = await city.sessions.begin(await callers.town.citizen())
    await callers.town.owner.execute("UPDATE session SET ended_at = clock_timestamp()")
    for row in rows(callers, CITIZENS):
        assert unproved(await send(callers.stranger(), row)), row
        for cookie in ("", "x", "A" * 32, ended, ended[:-1]):
            stranger = callers.stranger(cookie=f"{city.sessions.cookie}={cookie}")
            assert unproved(await send(stranger, row)), (row, cookie)
        if row.access is Access.CITIZEN:
            assert unproved(await send(callers.party(), row)), row


async def test_no_write_of_citizens_passes_without_the_pages_own_token(callers: Callers) -> None:
    mine, another = [await callers.citizen(await callers.town.citizen()) for _ in range(2)]
    writes = [row for row in rows(callers, CITIZENS) if row.method not in SAFE]
    assert writes
    for row in writes:
        for forged in ("", "x", another.headers[CSRF_HEADER]):
            assert (await send(mine, row, **{CSRF_HEADER: forged})).status_code == 403, row
        for origin in ("https://evil.example", "null", "http://127.0.0.1:8701"):
            assert (await send(mine, row, origin=origin)).status_code == 403, (row, origin)


async def test_the_own_page_passes(callers: Callers) -> None:
    for row in rows(callers, CITIZENS):
        me = await callers.citizen(await callers.town.citizen())
        assert (await send(me, row)).status_code not in (401, 403), row


# ------------------------------------------------------------------ the staff's routes


async def test_no_route_of_staff_opens_without_their_session(callers: Callers) -> None:
    city, owner = callers.town.city, callers.town.owner
    clerk = await callers.clerk()
    ended = clerk.cookies[city.counter_sessions.cookie]
    await owner.execute("UPDATE counter_session SET ended_at = clock_timestamp()")
    citizen = await callers.citizen(await callers.town.citizen())
    theirs = citizen.cookies[city.sessions.cookie]
    for row in rows(callers, {Access.STAFF}):
        for client in (callers.stranger(), callers.party(), citizen):
            assert unproved(await send(client, row)), row
        for cookie in ("", "x", "A" * 32, ended, theirs):
            stranger = callers.stranger(cookie=f"{city.counter_sessions.cookie}={cookie}")
            assert unproved(await send(stranger, row)), (row, cookie)


async def test_no_session_of_staff_opens_another_kinds_routes(callers: Callers) -> None:
    clerk = await callers.clerk()
    for row in rows(callers, PARTIES | CITIZENS):
        assert unproved(await send(clerk, row)), row


async def test_no_write_of_staff_passes_without_the_pages_own_token(callers: Callers) -> None:
    clerk, another = await callers.clerk(), await callers.clerk("wang.wei")
    for row in rows(callers, {Access.STAFF}):
        if row.method in SAFE:
            assert (await send(await callers.clerk(), row)).status_code not in (401, 403), row
            continue
        for forged in ("", "x", another.headers[CSRF_HEADER]):
            assert (await send(clerk, row, **{CSRF_HEADER: forged})).status_code == 403, row
        for origin in ("https://evil.example", "null"):
            assert (await send(clerk, row, origin=origin)).status_code == 403, (row, origin)
        assert (await send(await callers.clerk(), row)).status_code not in (401, 403), row


# ------------------------------------------------------------------ methods and addresses

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


async def test_other_methods_are_refused_with_those_that_exist(callers: Callers) -> None:
    table = rows_of(framework_of(callers.town))
    for path in {row.path for row in table}:
        known = {row.method for row in table if row.path == path}
        address = next(row for row in table if row.path == path).at()
        for method in set(METHODS) - known:
            answer = await callers.stranger().request(method, address)
            assert answer.status_code == 405, (method, path)
            assert set(answer.headers["allow"].split(", ")) == known, (method, path)
            assert not [name for name in answer.headers if name.startswith("access-control-")]
            assert method == "HEAD" or answer.headers["content-type"] == "application/problem+json"


async def test_the_hot_route_knows_one_method(callers: Callers) -> None:
    for client in (callers.stranger(), callers.party()):
        for method in METHODS:
            answer = await client.request(method, HOT.format_map(ANY))
            assert (answer.status_code == 405) == (method != "POST"), method
            assert method == "POST" or answer.headers["allow"] == "POST"


NOWHERE = (
    *("/", "/v1", "/v1/", "/v1/mee", "/v2/me", "/openapi", "/schema", "/docs", "/static/x"),
    *("/v1/scenarios/rent/eligibilit", "/v1/scenarios/rent/eligibility/x", "/v1/scenarios/a/b"),
    *("/.git/config", "/admin", "/.well-known/", "/favicon.ico", "/app/x/y/z", "/counter/../v1/x"),
)


async def test_what_is_not_there_is_a_problem_for_everybody(callers: Callers) -> None:
    problem = {"type": "urn:qianjiang:problem:not-found", "status": 404}
    for client in (callers.stranger(), callers.party()):
        for path in NOWHERE:
            for method in ("GET", "POST", "OPTIONS"):
                answer = await client.request(method, path)
                assert answer.status_code == 404, (method, path)
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json() == problem | {"title": "There is nothing here"}


async def test_an_id_of_the_wrong_shape_is_an_id_of_nothing(callers: Callers) -> None:
    for row in rows_of(framework_of(callers.town)):
        if row.parameters and not row.hot and row.parameters != ["scenario"]:
            address = row.at(dict.fromkeys(row.parameters, "not-an-id"))
            status = (await callers.stranger().request(row.method, address)).status_code
            assert status in (401, 404), row
