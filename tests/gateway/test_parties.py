"""Parties come, stop, return and change their keys; each act holds everywhere when it returns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway import onboarding
from gateway.client_keys import new_client_key
from gateway.clock import SECOND_US
from gateway.errors import Unauthenticated
from gateway.jwk import parse_jwk
from gateway.onboarding import OnboardingRefused, PartyFile, read_parties
from gateway.store.migrate import Connection
from tests.gateway.city import ENTITY, MERCHANT, TestCity
from tests.gateway.oauth.client import PartyClient, jwk_of
from tests.gateway.oauth.conftest import over_http

SERVED = ("rent", "library")

FILE = """
[[entity]]
id = "wheels"
name = "轮子租赁（示例）有限公司"
contact = "示例：desk@wheels.example"
promise = "押金当日退还。"

[[party]]
id = "wheels-north"
entity = "wheels"
kind = "merchant"
name = "轮子租赁北山店（示例）"
scenarios = { rent = "wheels" }
webhook_url = "https://wheels.example/hooks"

[[party.keys]]
kty = "EC"
crv = "P-256"
x = "%(x)s"
y = "%(y)s"
"""


def file(**changes: Any) -> PartyFile:
    """A file of one merchant, with changes to its form."""
    public = new_client_key().public
    (form,) = (parties := read_parties((FILE % public).encode())).party
    changed = onboarding.PartyForm(
        **{n: getattr(form, n) for n in form.__struct_fields__} | changes
    )
    return PartyFile(entity=parties.entity, party=[changed])


async def refusal(owner: Connection, parties: PartyFile) -> str:
    with pytest.raises(OnboardingRefused) as caught:
        await onboarding.add(owner, parties, SERVED)
    return str(caught.value)


# ---------------------------------------------------------------- coming


async def test_a_party_from_a_file_is_registered_as_written(
    owner: Connection, town: TestCity
) -> None:
    await onboarding.add(owner, file(), SERVED)
    await town.city.parties.refresh()
    party = town.city.parties.get("wheels-north")
    assert party is not None
    assert party.active
    assert party.row.webhook_url == "https://wheels.example/hooks"
    assert not party.row.dpop
    assert party.registrations["rent"].recipient.name == "轮子租赁（示例）有限公司"
    (kid,) = party.row.keys
    assert parse_jwk(party.row.keys[kid].jwk.encode()).kid == kid


async def test_a_form_says_whether_tokens_are_bound(owner: Connection, town: TestCity) -> None:
    await onboarding.add(owner, file(dpop=True), SERVED)
    await town.city.parties.refresh()
    party = town.city.parties.get("wheels-north")
    assert party is not None
    assert party.row.dpop


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"keys": []}, "without a key"),
        ({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}, "a private or secret key"),
        ({"keys": [new_client_key().private]}, "a private or secret key"),
        ({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}, "not an EC P-256 or Ed25519 key"),
        ({"keys": [{**new_client_key().public, "kid": "a"}] * 2}, "two keys with one kid"),
        ({"scenarios": {"rnt": "wheels"}}, "no scenario 'rnt'; there are: library, rent"),
        ({"scenarios": {"rent": "nobody"}}, "legal entity that is unknown"),
        ({"entity": "nobody"}, "legal entity that is unknown"),
        ({"kind": "city"}, "city is for the kind 'city'"),
        ({"city": "330200"}, "city is for the kind 'city'"),
        ({"kind": "community"}, "community is for the kind 'community'"),
        ({"webhook_url": "http://wheels.example/"}, "must be an https address"),
        ({"webhook_url": "file:///etc/passwd"}, "must be an https address"),
    ],
)
async def test_a_form_that_contradicts_itself_is_refused_and_named(
    owner: Connection, changes: dict[str, Any], says: str
) -> None:
    message = await refusal(owner, file(**changes))
    assert message.startswith("wheels-north: ")
    assert says in message
    assert await owner.fetchval("SELECT count(*) FROM party") == 0
    assert await owner.fetchval("SELECT count(*) FROM legal_entity") == 0


async def test_a_file_is_registered_as_a_whole_or_not_at_all(owner: Connection) -> None:
    await onboarding.add(owner, file(), SERVED)
    twice = PartyFile(entity=file().entity, party=[*file(id="wheels-south").party, *file().party])
    assert await refusal(owner, twice) == "wheels-north: a party of this id exists"
    assert await owner.fetchval("SELECT count(*) FROM party") == 1


async def test_an_entity_keeps_its_sector_when_its_words_change(owner: Connection) -> None:
    """Pseudonyms hang on the sector."""
    await onboarding.add(owner, file(), SERVED)
    sector = await owner.fetchval("SELECT sector FROM legal_entity")
    (renamed,) = (onboarding.EntityForm(id="wheels", name="New name", contact="desk"),)
    await onboarding.add(owner, PartyFile(entity=[renamed]), SERVED)
    row = await owner.fetchrow("SELECT name, sector FROM legal_entity")
    assert row is not None
    assert (row["name"], row["sector"]) == ("New name", sector)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[[party]", "not a file of parties"),
        (b"\xff", "not a file of parties"),
        (b"[[party]]\nid = 'wheels'", "missing required field `entity`"),
        (b"[[party]]\nid = 'WHEELS'", "`$.party[0].id`"),
        (b"[[partys]]\nid = 'wheels'", "unknown field `partys`"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_place(text: bytes, says: str) -> None:
    with pytest.raises(OnboardingRefused, match="not a file of parties") as caught:
        read_parties(text)
    assert says in str(caught.value)


# ---------------------------------------------------------------- stopping, returning, new keys


class Shop:
    """A merchant that asks about one citizen at a worker, over HTTP."""

    def __init__(self, client: PartyClient, subject: str) -> None:
        self.client = client
        self._subject = subject

    async def ask(self, token: str) -> int:
        """The status of a question with a token."""
        city = self.client.town.city
        facts = city.registry["rent"].manifest.example_at(city.clock.now_us())
        answer = await self.client.http.post(
            "/v1/scenarios/rent/eligibility",
            json={"subject": self._subject, "facts": facts},
            headers={"authorization": f"Bearer {token}"},
        )
        return answer.status_code


@pytest.fixture
async def http(town: TestCity) -> AsyncIterator[httpx.AsyncClient]:
    async with over_http(town.city) as client:
        yield client


@pytest.fixture
async def merchant(town: TestCity, http: httpx.AsyncClient) -> PartyClient:
    await town.party()
    client = PartyClient(town, http)
    await client.enrol()
    return client


@pytest.fixture
async def shop(merchant: PartyClient, other_worker: TestCity) -> AsyncIterator[Shop]:
    """The merchant at the other worker, which has seen its token already."""
    citizen = await merchant.town.ready()
    sector = await merchant.town.owner.fetchval("SELECT sector FROM legal_entity")
    async with over_http(other_worker.city) as elsewhere:
        client = PartyClient(other_worker, elsewhere)
        client.private = merchant.private
        yield Shop(client, other_worker.city.pseudonyms.subject(citizen, sector))


async def test_a_suspended_party_is_refused_from_that_moment_at_every_worker(
    owner: Connection, merchant: PartyClient, shop: Shop
) -> None:
    token = await merchant.token()
    assert await shop.ask(token) == 200
    await onboarding.suspend(owner, MERCHANT)
    # The other worker remembers the token and holds the party as it was; the commit knows better.
    assert await shop.ask(token) == 403
    assert await owner.fetchval("SELECT count(*) FROM decision") == 1


async def test_a_resumed_party_needs_a_new_token(
    owner: Connection, merchant: PartyClient, shop: Shop
) -> None:
    token = await merchant.token()
    assert await shop.ask(token) == 200
    await onboarding.suspend(owner, MERCHANT)
    await onboarding.resume(owner, MERCHANT)
    assert await shop.ask(token) == 401
    assert await shop.ask(await merchant.token()) == 200
    assert await shop.ask(await shop.client.token()) == 200


async def test_every_suspension_ends_what_was_issued_before_it(
    owner: Connection, merchant: PartyClient, shop: Shop
) -> None:
    """However fast they follow one another: tokens say whole seconds only."""
    for _ in range(3):
        token = await merchant.token()
        assert await shop.ask(token) == 200
        await onboarding.suspend(owner, MERCHANT)
        await onboarding.resume(owner, MERCHANT)
        assert await shop.ask(token) == 401


async def test_a_lost_keys_tokens_end_with_it_at_every_worker(
    owner: Connection, merchant: PartyClient, shop: Shop
) -> None:
    token = await merchant.token()
    assert await shop.ask(token) == 200
    fresh = ec.generate_private_key(ec.SECP256R1())
    kid = await onboarding.rotate_key(owner, MERCHANT, jwk_of("client-2", fresh).encode())
    assert kid == "client-2"
    assert await shop.ask(token) == 401
    assert (await merchant.ask()).status_code == 401
    merchant.kid, merchant.private = kid, fresh
    assert await shop.ask(await merchant.token()) == 200


async def test_with_an_overlap_both_keys_are_good_until_its_end(
    owner: Connection, merchant: PartyClient, shop: Shop
) -> None:
    token = await merchant.token()
    fresh = ec.generate_private_key(ec.SECP256R1())
    public = jwk_of("client-2", fresh).encode()
    await onboarding.rotate_key(owner, MERCHANT, public, overlap_s=60)
    assert await shop.ask(token) == 200
    assert await shop.ask(await merchant.token()) == 200
    # A second rotation may end them sooner, never later.
    await owner.execute(
        "UPDATE party_key SET revoked_at = clock_timestamp() WHERE kid <> 'client-2'"
    )
    assert await shop.ask(token) == 401
    merchant.kid, merchant.private = "client-2", fresh
    assert await shop.ask(await merchant.token()) == 200


async def test_a_token_does_not_outlive_an_ending_key(town: TestCity, owner: Connection) -> None:
    principal = await town.party()
    public = jwk_of("k2", ec.generate_private_key(ec.SECP256R1())).encode()
    await onboarding.rotate_key(owner, MERCHANT, public, overlap_s=20)
    await town.city.parties.refresh()
    ending = town.city.parties.readmit(principal)
    assert ending.expires_us <= town.city.clock.now_us() + 20 * SECOND_US < principal.expires_us


async def test_a_retired_key_never_comes_back(owner: Connection, town: TestCity) -> None:
    await town.party()
    keys = {kid: ec.generate_private_key(ec.SECP256R1()) for kid in ("k2", "k3")}
    for kid, key in keys.items():
        await onboarding.rotate_key(owner, MERCHANT, jwk_of(kid, key).encode())
    with pytest.raises(OnboardingRefused, match="'k2' was in use before"):
        await onboarding.rotate_key(owner, MERCHANT, jwk_of("k2", keys["k2"]).encode())
    await town.city.parties.refresh()
    party = town.city.parties.get(MERCHANT)
    assert party is not None
    assert list(party.row.keys) == ["k3"]
    with pytest.raises(Unauthenticated):
        town.city.parties.readmit(town.principal())


async def test_acts_on_a_party_fit_its_state(owner: Connection, town: TestCity) -> None:
    await town.party()
    for act, says in (
        (onboarding.resume(owner, MERCHANT), f"{MERCHANT}: it is active"),
        (onboarding.suspend(owner, "nobody"), "nobody: no such party"),
        (onboarding.rotate_key(owner, MERCHANT, b"{}"), f"{MERCHANT}: the key is not a"),
        (
            onboarding.rotate_key(owner, MERCHANT, b"{}", overlap_s=90_000),
            "an overlap is 0 to 86400",
        ),
    ):
        with pytest.raises(OnboardingRefused, match=says):
            await act
    await onboarding.suspend(owner, MERCHANT)
    with pytest.raises(OnboardingRefused, match="it is suspended"):
        await onboarding.suspend(owner, MERCHANT)


async def test_the_serving_role_can_change_no_party(connection: Connection, town: TestCity) -> None:
    """A worker that is taken over cannot let anybody in."""
    await town.party()
    public = jwk_of("k2", ec.generate_private_key(ec.SECP256R1())).encode()
    for act in (
        onboarding.suspend(connection, MERCHANT),
        onboarding.rotate_key(connection, MERCHANT, public),
        onboarding.add(connection, file(), SERVED),
    ):
        with pytest.raises(Exception, match="permission denied"):
            await act


async def test_a_change_under_way_is_not_taken_for_loaded(
    owner: Connection, town: TestCity
) -> None:
    """A worker that refreshes between an operator's statement and its commit looks again."""
    await town.party()
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("UPDATE party SET status = 'suspended'")
    await town.city.parties.refresh()
    await transaction.commit()
    await town.city.parties.refresh()
    party = town.city.parties.get(MERCHANT)
    assert party is not None
    assert not party.active
    assert party.row.entity == ENTITY
