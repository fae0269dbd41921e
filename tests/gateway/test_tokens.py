"""Who may pass with an access token, and who may not: strangers first."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import tokens
from gateway.claims import AccessClaims, Kind
from gateway.clock import SECOND_US, FixedClock
from gateway.errors import Forbidden, Unauthenticated
from gateway.ids import SystemIds
from gateway.jose import sign, verify
from gateway.jwk import unb64url
from gateway.keys import b64url
from gateway.local.valkey import Valkey
from gateway.parties import Principal
from gateway.store.migrate import Connection
from gateway.tokens import AccessTokens
from tests.engines import Database
from tests.gateway import forge
from tests.gateway.city import MERCHANT, TestCity, open_test_city

NOW_US = 1_790_000_000 * SECOND_US


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW_US)


@pytest.fixture
async def town(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path, clock: FixedClock
) -> AsyncIterator[TestCity]:
    urls = database.gateway_url, owner, valkey.url
    async with open_test_city(*urls, tmp_path, clock=clock) as town:
        yield town


@pytest.fixture
async def neighbour(
    town: TestCity, database: Database, valkey: Valkey, tmp_path: Path, clock: FixedClock
) -> AsyncIterator[TestCity]:
    """Another worker of the same city: the same keys, its own copy of the parties."""
    urls = database.gateway_url, town.owner, valkey.url
    async with open_test_city(*urls, tmp_path, clock=clock) as neighbour:
        yield neighbour


def bearer(token: str, scheme: str = "Bearer") -> list[tuple[bytes, bytes]]:
    return [(b"host", b"gateway.example"), (b"authorization", f"{scheme} {token}".encode())]


async def issued(town: TestCity) -> str:
    principal = await town.party()
    return town.city.tokens.issue(principal.party, "k1", principal.scopes).token


def refused(town: TestCity, headers: list[tuple[bytes, bytes]]) -> str:
    with pytest.raises(Unauthenticated) as caught:
        town.city.tokens.authenticate(headers)
    return caught.value.reason


# ---------------------------------------------------------------- strangers


def test_no_token_is_no_caller(town: TestCity) -> None:
    assert refused(town, [(b"host", b"gateway.example")]) == "absent"


@pytest.mark.parametrize("value", [b"", b"Bearer", b"Basic eDp5", b"DPoP a.b.c", b"Bearer\ta.b.c"])
def test_another_scheme_is_no_caller(town: TestCity, value: bytes) -> None:
    assert refused(town, [(b"authorization", value)]) == "scheme"


@pytest.mark.parametrize(
    "value", [b"Bearer ", b"Bearer a.b", b"Bearer \xff.\xfe.x", b"Bearer  a.b.c"]
)
def test_what_is_no_token_is_no_caller(town: TestCity, value: bytes) -> None:
    assert refused(town, [(b"authorization", value)]) == "shape"


async def test_two_credentials_are_none(town: TestCity) -> None:
    headers = bearer(await issued(town))
    assert refused(town, [*headers, headers[1]]) == "repeated"


async def test_another_citys_token_is_a_strangers(town: TestCity) -> None:
    claims = _claims(await issued(town))
    forged = sign(Kind.ACCESS, claims, town.city.keys.token_kid, forge.STRANGER)
    assert refused(town, bearer(forged)) == "signature"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"iss": "http://127.0.0.9:8700"}, "issuer"),
        ({"aud": "http://127.0.0.9:8700"}, "audience"),
        ({"exp": NOW_US // SECOND_US}, "lifetime"),
        ({"exp": NOW_US // SECOND_US + 301}, "lifetime"),
        ({"iat": NOW_US // SECOND_US - 60, "exp": NOW_US // SECOND_US}, "expired"),
        ({"client_id": "nobody", "sub": "nobody"}, "party-newer"),
        ({"ckid": "another"}, "client-key-revoked"),
    ],
)
async def test_our_own_signature_does_not_make_wrong_claims_good(
    town: TestCity, change: dict[str, Any], reason: str
) -> None:
    claims = msgspec.structs.replace(_claims(await issued(town)), **change)
    keys = town.city.keys
    token = sign(Kind.ACCESS, claims, keys.token_kid, keys.token_signing[keys.token_kid])
    assert refused(town, bearer(token)) == reason


async def test_an_assertion_is_no_access_token(town: TestCity) -> None:
    keys = town.city.keys
    claims = _claims(await issued(town))
    token = sign(Kind.ASSERTION, claims, keys.token_kid, keys.token_signing[keys.token_kid])
    assert refused(town, bearer(token)) == "type"


# ---------------------------------------------------------------- the token itself


async def test_a_token_says_what_rfc_9068_asks_for(town: TestCity) -> None:
    token = await issued(town)
    header = msgspec.json.decode(unb64url(token.split(".")[0]))
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": town.city.keys.token_kid}
    claims = _claims(token)
    issuer = town.city.settings.issuer
    assert (claims.iss, claims.aud) == (issuer, issuer)
    assert (claims.sub, claims.client_id) == (MERCHANT, MERCHANT)
    assert (claims.iat, claims.exp) == (NOW_US // SECOND_US, NOW_US // SECOND_US + 300)
    assert (claims.scope, claims.ckid) == ("scenario:rent", "k1")


async def test_a_good_token_proves_its_party(town: TestCity) -> None:
    principal = town.city.tokens.authenticate(bearer(await issued(town)))
    assert principal == town.principal()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_the_schemes_case_does_not_matter(town: TestCity, scheme: str) -> None:
    assert town.city.tokens.authenticate(bearer(await issued(town), scheme))


# ---------------------------------------------------------------- what is remembered


async def test_a_remembered_token_does_not_vouch_for_a_forged_signature(town: TestCity) -> None:
    token = await issued(town)
    assert town.city.tokens.authenticate(bearer(token))
    message, _, signature = token.rpartition(".")
    raw = unb64url(signature)
    for forged in (raw[::-1], bytes(64), raw[:63] + bytes([raw[63] ^ 1]), raw[32:] + raw[:32]):
        assert refused(town, bearer(f"{message}.{b64url(forged)}")) == "signature"


async def test_the_twin_of_a_signature_is_verified_for_itself(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(r, n - s) is a valid ES256 signature too, but no token that was seen."""
    token = await issued(town)
    town.city.tokens.authenticate(bearer(token))
    seen = _count_verifications(monkeypatch)
    message, _, signature = token.rpartition(".")
    raw = unb64url(signature)
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    twin = f"{message}.{b64url(forge.joined(r, forge.N - s))}"
    assert town.city.tokens.authenticate(bearer(twin)).party.row.id == MERCHANT
    assert len(seen) == 1


async def test_a_remembered_token_is_not_verified_again(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer(await issued(town))
    first = town.city.tokens.authenticate(headers)
    seen = _count_verifications(monkeypatch)
    assert town.city.tokens.authenticate(headers) is first
    assert seen == []


async def test_a_remembered_token_expires_at_its_second(town: TestCity, clock: FixedClock) -> None:
    headers = bearer(await issued(town))
    town.city.tokens.authenticate(headers)
    clock.advance(seconds=299.999)
    assert town.city.tokens.authenticate(headers)
    clock.advance(seconds=0.001)
    assert refused(town, headers) == "expired"


async def test_memory_is_bounded_and_the_oldest_goes_first(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "REMEMBERED", 3)
    principal = await town.party()
    made = [town.city.tokens.issue(principal.party, "k1", principal.scopes) for _ in range(4)]
    for one in made:
        town.city.tokens.authenticate(bearer(one.token))
    seen = _count_verifications(monkeypatch)
    for one in made[1:]:
        town.city.tokens.authenticate(bearer(one.token))
    assert seen == []
    town.city.tokens.authenticate(bearer(made[0].token))
    assert len(seen) == 1


# ---------------------------------------------------------------- when the party changes


async def test_a_change_that_leaves_the_token_good_is_taken_up(town: TestCity) -> None:
    headers = bearer(await issued(town))
    before = town.city.tokens.authenticate(headers)
    await town.owner.execute(
        "INSERT INTO party_key (party, kid, jwk) SELECT num, 'k2', '{}' FROM party"
    )
    await town.city.parties.refresh()
    after = town.city.tokens.authenticate(headers)
    assert after.party.row.revision > before.party.row.revision
    assert town.city.tokens.authenticate(headers) is after


async def test_a_suspended_party_is_forbidden_with_a_remembered_token(town: TestCity) -> None:
    headers = bearer(await issued(town))
    town.city.tokens.authenticate(headers)
    await town.owner.execute("UPDATE party SET status = 'suspended'")
    await town.city.parties.refresh()
    for _ in range(2):
        with pytest.raises(Forbidden):
            town.city.tokens.authenticate(headers)


async def test_a_revoked_key_ends_the_tokens_it_bought(town: TestCity) -> None:
    headers = bearer(await issued(town))
    town.city.tokens.authenticate(headers)
    await town.owner.execute("UPDATE party_key SET revoked_at = clock_timestamp()")
    await town.city.parties.refresh()
    assert refused(town, headers) == "client-key-revoked"


async def test_a_token_is_good_at_a_worker_that_has_not_heard_of_its_party(
    town: TestCity, neighbour: TestCity
) -> None:
    headers = bearer(await issued(town))
    assert refused(neighbour, headers) == "party-newer"
    principal: Principal = await neighbour.city.tokens.admit(headers)
    assert principal.party.row.id == MERCHANT


async def test_a_strangers_token_makes_no_worker_load_anything(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = msgspec.structs.replace(_claims(await issued(town)), client_id="x", sub="x", prv=99)
    forged = sign(Kind.ACCESS, claims, town.city.keys.token_kid, forge.STRANGER)
    monkeypatch.setattr(town.city.parties, "refresh", lambda: pytest.fail("loaded"))
    with pytest.raises(Unauthenticated):
        await town.city.tokens.admit(bearer(forged))


async def test_every_key_of_the_ring_verifies_and_the_newest_signs(town: TestCity) -> None:
    city, old = town.city, await issued(town)
    signing = {**city.keys.token_signing, "newer": forge.PRIVATE}
    ring = msgspec.structs.replace(city.keys, token_signing=signing, token_kid="newer")
    rotated = AccessTokens(
        ring, city.settings, city.clock, SystemIds(), city.parties, city.forgeries
    )
    assert rotated.authenticate(bearer(old))
    principal = town.principal()
    new = rotated.issue(principal.party, "k1", principal.scopes).token
    assert msgspec.json.decode(unb64url(new.split(".")[0]))["kid"] == "newer"
    assert refused(town, bearer(new)) == "key"


# ---------------------------------------------------------------- speed


async def test_recognising_a_remembered_token_takes_microseconds(town: TestCity) -> None:
    """The budget is 6 µs; the best of many rounds leaves out what other processes take."""
    authenticate = town.city.tokens.authenticate
    headers = [(b"host", b"x"), (b"accept", b"*/*"), *bearer(await issued(town))]
    authenticate(headers)

    def round_us() -> float:
        begun = time.perf_counter()
        for _ in range(500):
            authenticate(headers)
        return (time.perf_counter() - begun) / 500 * 1e6

    assert min(round_us() for _ in range(20)) <= 6


def _claims(token: str) -> AccessClaims:
    return msgspec.json.decode(unb64url(token.split(".")[1]), type=AccessClaims)


def _count_verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []

    def counting(compact: str, *args: Any, **given: Any) -> Any:
        seen.append(compact)
        return verify(compact, *args, **given)

    monkeypatch.setattr("gateway.tokens.verify", counting)
    return seen
