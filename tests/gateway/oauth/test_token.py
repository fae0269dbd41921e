"""The token endpoint over HTTP: who gets a token, who does not, and what each of them reads."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from redis import Redis

from gateway.clock import SECOND_US
from gateway.edge.oauth import token
from gateway.errors import TooManyRequests
from gateway.jose import verify
from gateway.jwk import Alg, Key, public_jwk
from gateway.local.valkey import Valkey
from gateway.oauth.token import Granted
from gateway.store import party as rows
from tests.engines import Database, Engines
from tests.gateway import forge
from tests.gateway.city import MERCHANT, TestCity, open_test_city
from tests.gateway.oauth.client import PartyClient
from tests.gateway.oauth.conftest import over_http

INVALID_CLIENT = {
    "error": "invalid_client",
    "error_description": "client authentication failed",
}


@pytest.fixture
async def narrow(
    town: TestCity, database: Database, valkey: Valkey, tmp_path: Path
) -> AsyncIterator[TestCity]:
    """A worker that allows a client three attempts and then hardly any."""
    urls = database.gateway_url, town.owner, valkey.url
    limits: dict[str, Any] = {"token_attempts_burst": 3, "token_attempts_per_s": 0.001}
    async with open_test_city(*urls, tmp_path, **limits) as opened:
        yield opened


def error(answer: httpx.Response) -> str:
    """The OAuth error of a refusal, whose form RFC 6749 5.2 fixes."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, str] = answer.json()
    assert set(body) == {"error", "error_description"}
    assert answer.status_code == (401 if body["error"] == "invalid_client" else 400)
    return body["error"]


# ---------------------------------------------------------------- strangers


async def test_a_stranger_and_a_wrong_key_read_the_same_words(
    town: TestCity, http: httpx.AsyncClient, merchant: PartyClient
) -> None:
    unknown = PartyClient(town, http, name="nobody-at-all")
    other_key = PartyClient(town, http)
    other_kid = PartyClient(town, http, kid="never-seen")
    for stranger in (unknown, other_key, other_kid):
        answer = await stranger.ask()
        assert answer.status_code == 401
        assert answer.json() == INVALID_CLIENT


async def test_a_refusal_never_says_which_check_failed(merchant: PartyClient) -> None:
    assertion = merchant.assertion()
    await merchant.ask(assertion)
    now_s = merchant.town.city.clock.now_us() // SECOND_US
    refused = [
        await merchant.ask(assertion),
        await merchant.ask(assertion[:-3] + "AAA"),
        await merchant.ask(merchant.assertion(aud="https://other.example")),
        await merchant.ask(merchant.assertion(iat=now_s - 120, exp=now_s - 60)),
        await merchant.ask(client_assertion=...),
        await merchant.ask(client_assertion_type="password"),
        await merchant.ask("x" * 9000),
    ]
    assert {answer.text for answer in refused} == {refused[0].text}
    assert refused[0].json() == INVALID_CLIENT


@pytest.mark.parametrize(
    "grant", ["password", "authorization_code", "refresh_token", "CLIENT_CREDENTIALS"]
)
async def test_other_grants_are_not_supported(merchant: PartyClient, grant: str) -> None:
    assert error(await merchant.ask(grant_type=grant)) == "unsupported_grant_type"


async def test_a_client_secret_is_no_second_way_in(merchant: PartyClient) -> None:
    assert error(await merchant.ask(client_secret="hunter2")) == "invalid_request"
    basic = {"authorization": "Basic YmlrZS1zaG9wOmh1bnRlcjI="}
    assert error(await merchant.send(merchant.body(), **basic)) == "invalid_request"


async def test_nothing_is_taken_from_the_address(merchant: PartyClient) -> None:
    """A query ends up in logs, histories and Referer fields (RFC 6749 2.3.1)."""
    answer = await merchant.http.post("/oauth/token", params=merchant.form())
    assert error(answer) == "invalid_request"
    answer = await merchant.http.post("/oauth/token?x=1", data=merchant.form())
    assert error(answer) == "invalid_request"


async def test_only_a_post_asks_for_a_token(merchant: PartyClient) -> None:
    assert (await merchant.http.get("/oauth/token")).status_code == 405


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "multipart/form-data; boundary=x", "",
     "application/x-www-form-urlencoded; charset=utf-16"],
)  # fmt: skip
async def test_a_body_of_another_type_is_refused(merchant: PartyClient, content_type: str) -> None:
    answer = await merchant.send(merchant.body(), **{"content-type": content_type})
    assert error(answer) == "invalid_request"


async def test_a_malformed_body_is_refused(merchant: PartyClient) -> None:
    honest = merchant.body()
    for body in (
        "",
        "grant_type",
        f"{honest}&grant_type=client_credentials",
        f"{honest}&scope=&scope=scenario:rent",
        f"{honest}&x=%ff",
        f"{honest}&&",
        f"{honest}&" + "&".join(f"x{n}=1" for n in range(40)),
        honest.replace("grant_type", "grant-type"),
    ):
        assert error(await merchant.send(body)) == "invalid_request", body[-40:]


async def test_a_body_too_large_ends_early(merchant: PartyClient) -> None:
    answer = await merchant.send(merchant.body() + "&x=" + "x" * 20_000)
    assert answer.status_code == 413


# ---------------------------------------------------------------- the token


def test_the_openapi_document_shows_how_to_ask() -> None:
    document = Litestar([token]).openapi_schema.to_schema()
    operation = document["paths"]["/oauth/token"]["post"]
    (form,) = operation["requestBody"]["content"].items()
    assert form[0] == "application/x-www-form-urlencoded"
    assert set(form[1]["schema"]["required"]) <= set(form[1]["schema"]["properties"])
    assert "200" in operation["responses"]


async def test_a_party_gets_a_token_that_opens_the_gateway(
    town: TestCity, merchant: PartyClient
) -> None:
    answer = await merchant.ask()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == (
        "Bearer",
        300,
        "scenario:rent",
    )
    principal = town.city.tokens.authenticate(_bearer(body["access_token"]))
    assert (principal.party.row.id, principal.kid) == (MERCHANT, "client-1")
    assert principal.expires_us - town.city.clock.now_us() <= 300 * SECOND_US


async def test_parameters_nobody_knows_are_ignored(merchant: PartyClient) -> None:
    answer = await merchant.ask(foo="bar", scope="", client_id=MERCHANT)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "scope", ["scenario:library", "scenario:rent scenario:library", "rent", "scenario:rent ", "*"]
)
async def test_a_scope_that_is_not_registered_is_refused(merchant: PartyClient, scope: str) -> None:
    assert error(await merchant.ask(scope=scope)) == "invalid_scope"


async def test_a_party_without_scenarios_has_nothing_to_ask_for(merchant: PartyClient) -> None:
    await merchant.town.owner.execute("DELETE FROM party_scenario")
    assert error(await merchant.ask()) == "invalid_scope"


async def test_a_key_registered_this_moment_is_known_at_once(
    merchant: PartyClient, other_worker: TestCity
) -> None:
    """Neither worker has looked at the parties since."""
    async with over_http(other_worker.city) as http:
        fresh = PartyClient(other_worker, http, kid="client-2")
        await fresh.enrol()
        assert (await fresh.ask()).status_code == 200


async def test_a_party_may_sign_with_ed25519(merchant: PartyClient) -> None:
    public = public_jwk(Key("ed", Alg.EDDSA, forge.EDWARDS.public_key()))
    await merchant.town.owner.execute(
        "INSERT INTO party_key (party, kid, jwk) SELECT num, 'ed', $1 FROM party",
        msgspec.json.encode(public).decode(),
    )
    text, _, _ = merchant.assertion(header={"alg": "EdDSA", "kid": "ed"}).rpartition(".")
    signature = forge.b64(forge.EDWARDS.sign(text.encode()))
    assert (await merchant.ask(f"{text}.{signature}")).status_code == 200
    # The algorithm is the key's: the same key under another name of algorithm is no key.
    text, _, _ = merchant.assertion(header={"alg": "ES256", "kid": "ed"}).rpartition(".")
    assert error(await merchant.ask(f"{text}.{signature}")) == "invalid_client"


# ---------------------------------------------------------------- single use


async def test_an_assertion_is_good_once_whoever_hears_of_it(
    town: TestCity, other_worker: TestCity, merchant: PartyClient, valkey: Valkey
) -> None:
    """200 at once, over two workers, while the cache is emptied: one token."""
    assertion = merchant.assertion()
    async with over_http(other_worker.city) as elsewhere:
        other = PartyClient(other_worker, elsewhere)
        asked = [asyncio.ensure_future((merchant, other)[n % 2].ask(assertion)) for n in range(200)]
        await asyncio.sleep(0)
        await asyncio.to_thread(_flush, valkey)
        answers = await asyncio.gather(*asked)
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == 1
    # A refusal for want of a free connection is one too; nothing else is.
    assert {answer.json()["error"] for answer in answers if answer.status_code != 200} <= {
        "invalid_client",
        "temporarily_unavailable",
    }


async def test_a_used_assertion_stays_used_for_a_new_worker(
    merchant: PartyClient, database: Database, valkey: Valkey, tmp_path: Path
) -> None:
    assertion = merchant.assertion()
    assert (await merchant.ask(assertion)).status_code == 200
    urls = database.gateway_url, merchant.town.owner, valkey.url
    async with open_test_city(*urls, tmp_path) as restarted, over_http(restarted.city) as http:
        again = await PartyClient(restarted, http).ask(assertion)
    assert again.json() == INVALID_CLIENT


async def test_the_twin_of_a_signature_makes_no_second_assertion(merchant: PartyClient) -> None:
    """Every ES256 signature (r, s) has a twin (r, n - s) that is as valid."""
    assertion = merchant.assertion()
    text, _, _ = assertion.rpartition(".")
    r, s = forge.scalars(text, merchant.private)
    assert (await merchant.ask(f"{text}.{forge.b64(forge.joined(r, s))}")).status_code == 200
    twin = f"{text}.{forge.b64(forge.joined(r, forge.N - s))}"
    assert error(await merchant.ask(twin)) == "invalid_client"


async def test_a_refused_signature_uses_nothing_up(merchant: PartyClient) -> None:
    """Or anybody could spend a party's assertions for it."""
    stranger = PartyClient(merchant.town, merchant.http)
    assert error(await stranger.ask(stranger.assertion(jti="a-known-jti"))) == "invalid_client"
    assert (await merchant.ask(merchant.assertion(jti="a-known-jti"))).status_code == 200


async def test_used_assertions_are_forgotten_when_they_cannot_come_back(
    town: TestCity, merchant: PartyClient
) -> None:
    await merchant.token()
    async with town.city.database.connection() as connection:
        assert await rows.forget_assertions(connection) == 0
        await town.owner.execute("UPDATE assertion_used SET expires = clock_timestamp()")
        assert await rows.forget_assertions(connection) == 1


# ---------------------------------------------------------------- suspension and rotation


async def test_a_suspended_party_gets_no_token_anywhere_from_that_moment(
    merchant: PartyClient, other_worker: TestCity
) -> None:
    async with over_http(other_worker.city) as elsewhere:
        other = PartyClient(other_worker, elsewhere)
        other.private = merchant.private
        assert (await other.ask()).status_code == 200
        await merchant.town.owner.execute("UPDATE party SET status = 'suspended'")
        assert error(await other.ask()) == "unauthorized_client"
        assert error(await merchant.ask()) == "unauthorized_client"


async def test_only_the_party_itself_learns_that_it_is_suspended(merchant: PartyClient) -> None:
    await merchant.town.owner.execute("UPDATE party SET status = 'suspended'")
    answer = await PartyClient(merchant.town, merchant.http).ask()
    assert answer.json() == INVALID_CLIENT


async def test_a_revoked_key_gets_no_token_anywhere_from_that_moment(
    merchant: PartyClient, other_worker: TestCity
) -> None:
    async with over_http(other_worker.city) as elsewhere:
        other = PartyClient(other_worker, elsewhere)
        other.private = merchant.private
        assert (await other.ask()).status_code == 200
        await merchant.town.owner.execute(
            "UPDATE party_key SET revoked_at = clock_timestamp() WHERE kid = 'client-1'"
        )
        assert error(await other.ask()) == "invalid_client"


# ---------------------------------------------------------------- limits and faults


async def test_a_flood_ends_before_the_signature_is_looked_at(
    merchant: PartyClient, monkeypatch: pytest.MonkeyPatch, narrow: TestCity
) -> None:
    seen = _count_verifications(monkeypatch)
    async with over_http(narrow.city) as http:
        flood = PartyClient(narrow, http)
        statuses = [(await flood.ask()).status_code for _ in range(10)]
        assert statuses == [401] * 3 + [429] * 7
        assert len(seen) == 3
        limited = await flood.ask()
    assert limited.headers["content-type"] == "application/problem+json"
    assert int(limited.headers["retry-after"]) >= 1


async def test_a_flood_in_a_partys_name_does_not_shut_the_party_out(
    merchant: PartyClient, narrow: TestCity
) -> None:
    endpoint = narrow.city.token_endpoint
    async with over_http(narrow.city) as http:
        stranger = PartyClient(narrow, http)
        for _ in range(3):
            await endpoint.answer(stranger.form(), "192.0.2.66")
        with pytest.raises(TooManyRequests):
            await endpoint.answer(stranger.form(), "192.0.2.66")
        assert isinstance(await endpoint.answer(merchant.form(), "192.0.2.1"), Granted)


async def test_a_flood_under_ever_new_names_ends_too(narrow: TestCity) -> None:
    endpoint = narrow.city.token_endpoint
    async with over_http(narrow.city) as http:
        for number in range(30):
            stranger = PartyClient(narrow, http, name=f"name-{number}")
            await endpoint.answer(stranger.form(), "192.0.2.66")
        with pytest.raises(TooManyRequests):
            await endpoint.answer(PartyClient(narrow, http).form(), "192.0.2.66")


async def test_without_postgresql_there_is_no_token(
    merchant: PartyClient, engines: Engines
) -> None:
    """Nobody else could say whether the assertion is new."""
    assert (await merchant.ask()).status_code == 200
    await asyncio.to_thread(engines.postgres.stop, "immediate")
    answer = await merchant.ask()
    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"


async def test_unknown_client_and_wrong_key_take_the_same_time(
    town: TestCity, http: httpx.AsyncClient, merchant: PartyClient
) -> None:
    """Medians within 1 ms: an unknown client's signature is checked against a decoy."""
    unknown, wrong = PartyClient(town, http, name="nobody-at-all"), PartyClient(town, http)
    took: dict[str, list[float]] = {"unknown": [], "wrong": []}
    for number in range(60):
        for label, client in (("unknown", unknown), ("wrong", wrong)):
            form = client.form()
            begun = time.perf_counter()
            await town.city.token_endpoint.answer(form, f"192.0.2.{number}")
            took[label].append(time.perf_counter() - begun)
    unknown_s, wrong_s = (statistics.median(times) for times in took.values())
    assert abs(unknown_s - wrong_s) < 0.001


def _bearer(token: str) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", f"Bearer {token}".encode())]


def _flush(valkey: Valkey) -> None:
    with Redis.from_url(valkey.admin_url) as admin:
        admin.flushall()


def _count_verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []

    def counting(compact: str, *args: Any, **given: Any) -> Any:
        seen.append(compact)
        return verify(compact, *args, **given)

    monkeypatch.setattr("gateway.oauth.assertions.verify", counting)
    return seen
