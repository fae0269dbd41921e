"""Bound tokens and Bearer tokens side by side: neither ever passes for the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from redis import Redis

from gateway import onboarding
from gateway.local.valkey import Valkey
from tests.engines import Database
from tests.gateway.city import MERCHANT, TestCity, open_test_city
from tests.gateway.oauth.bound import BoundClient
from tests.gateway.oauth.client import PartyClient
from tests.gateway.oauth.conftest import over_http

METADATA = "/.well-known/oauth-authorization-server"


@pytest.fixture
async def client(town: TestCity, merchant: PartyClient) -> BoundClient:
    client = BoundClient(merchant)
    await client.begin(town)
    return client


@pytest.fixture
async def demanding(
    town: TestCity, database: Database, valkey: Valkey, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP to a worker that demands a nonce in every proof."""
    urls = database.gateway_url, town.owner, valkey.url
    async with (
        open_test_city(*urls, tmp_path, dpop_nonce_required=True) as opened,
        over_http(opened.city) as http,
    ):
        yield http


async def test_the_metadata_name_the_algorithms(http: httpx.AsyncClient) -> None:
    said = (await http.get(METADATA)).json()
    assert said["dpop_signing_alg_values_supported"] == ["ES256", "EdDSA"]


async def test_a_token_that_is_no_good_is_told_so_in_the_schemes_words(client: BoundClient) -> None:
    for place in client.resources:
        for token in ("x", client.token[:-4] + "AAAA", client.party.assertion()):
            answer = await client.send(place, token=token)
            assert answer.status_code == 401
            challenge = 'DPoP error="invalid_token", algs="ES256 EdDSA"'
            assert answer.headers["www-authenticate"] == challenge


async def test_a_bearer_token_does_not_pass_as_a_bound_one(client: BoundClient) -> None:
    """Any key at all would prove it."""
    bearer = await client.party.token()
    unbound = BoundClient(client.party, client.prover)
    unbound.token = bearer
    for place in client.resources:
        assert (await unbound.send(place)).status_code == 401, place.path
        # Nor does a proof beside a Bearer token hurt: who sends one may send it everywhere.
        assert (await unbound.send(place, scheme="Bearer")).status_code == 200, place.path


async def test_a_bound_token_seen_before_is_still_no_bearer_token(client: BoundClient) -> None:
    for place in client.resources:
        assert (await client.send(place)).status_code == 200
        assert (await client.send(place, "", scheme="Bearer")).status_code == 401, place.path
    assert client.town.city.tokens.recognise(f"Bearer {client.token}".encode()) is None
    assert client.town.city.tokens.recognise(f"DPoP {client.token}".encode()) is None


async def test_a_party_that_must_be_bound_gets_no_other_token(
    client: BoundClient, merchant: PartyClient
) -> None:
    bearer = BoundClient(merchant)
    bearer.token = await merchant.token()
    for place in client.resources:
        assert (await bearer.send(place, "", scheme="Bearer")).status_code == 200
    await onboarding.bind(client.town.owner, MERCHANT, True)
    answer = await merchant.ask()
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    await client.town.city.parties.refresh()
    for place in client.resources:
        # What it held before ends here, and what is bound goes on.
        assert (await bearer.send(place, "", scheme="Bearer")).status_code == 401, place.path
        assert (await client.send(place)).status_code == 200, place.path
    await onboarding.bind(client.town.owner, MERCHANT, False)
    assert (await merchant.ask()).json()["token_type"] == "Bearer"


async def test_a_commit_refuses_a_bearer_token_of_a_party_that_is_bound_since(
    client: BoundClient, merchant: PartyClient
) -> None:
    """This worker has not heard of it yet, and no answer leaves all the same."""
    bearer = BoundClient(merchant)
    bearer.token = await merchant.token()
    hot = client.places[1]
    assert (await bearer.send(hot, "", scheme="Bearer")).status_code == 200
    await onboarding.bind(client.town.owner, MERCHANT, True)
    assert (await bearer.send(hot, "", scheme="Bearer")).status_code == 401


async def test_a_proof_is_for_no_other_token_of_the_same_key(client: BoundClient) -> None:
    second = (await client.ask_token()).json()["access_token"]
    for place in client.resources:
        assert (await client.send(place, client.proof(place), token=second)).status_code == 401


async def test_a_nonce_is_demanded_where_the_city_says_so(
    client: BoundClient, demanding: httpx.AsyncClient
) -> None:
    for place in client.places:
        refused = await client.send(place, http=demanding)
        if place.is_resource:
            assert refused.status_code == 401
            challenge = 'DPoP error="use_dpop_nonce", algs="ES256 EdDSA"'
            assert refused.headers["www-authenticate"] == challenge
        else:
            assert (refused.status_code, refused.json()["error"]) == (400, "use_dpop_nonce")
        nonce = refused.headers["dpop-nonce"]
        proof = client.proof(place, nonce=nonce)
        assert (await client.send(place, proof, http=demanding)).status_code == 200, place.path
        stale = await client.send(place, client.proof(place, nonce="made-up"), http=demanding)
        assert stale.headers["dpop-nonce"]


async def test_nobody_without_a_token_has_a_proof_looked_at(client: BoundClient) -> None:
    """A stranger's proof costs no signature and no row."""
    before = await client.town.owner.fetchval("SELECT count(*) FROM dpop_used")
    stranger = PartyClient(client.town, client.http, name="nobody-at-all")
    answer = await BoundClient(stranger).ask_token()
    assert answer.json()["error"] == "invalid_client"
    for place in client.resources:
        assert (await client.send(place, token="a.b.c")).status_code == 401
    assert await client.town.owner.fetchval("SELECT count(*) FROM dpop_used") == before


@pytest.mark.parametrize("at", [0, 1, 2, 3], ids=["token", "hot", "authzen", "ordinary"])
async def test_one_proof_sent_fifty_times_over_two_workers_is_accepted_once(
    client: BoundClient, other_worker: TestCity, valkey: Valkey, at: int
) -> None:
    """At once, while the cache is emptied, and once more after that."""
    place = client.places[at]
    proof = client.proof(place)
    async with over_http(other_worker.city) as second:
        sends = [
            asyncio.ensure_future(client.send(place, proof, http=(client.http, second)[n % 2]))
            for n in range(50)
        ]
        await asyncio.sleep(0)
        await asyncio.to_thread(_flush, valkey)
        codes = [(await sent).status_code for sent in sends]
        refused = 401 if place.is_resource else 400
        assert codes.count(200) == 1
        # A refusal for want of a free connection is one too; nothing else is.
        assert set(codes) <= {200, refused, 503}
        await asyncio.to_thread(_flush, valkey)
        for http in (client.http, second):
            assert (await client.send(place, proof, http=http)).status_code == refused


def _flush(valkey: Valkey) -> None:
    with Redis.from_url(valkey.admin_url) as cache:
        cache.flushall()
