"""A flood of bad signatures costs a known amount of work and shuts nobody good out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway import forgeries, jose
from gateway.claims import AccessClaims, Kind
from gateway.clock import SECOND_US, FixedClock
from gateway.edge.problems import problem_bytes
from gateway.errors import AbnormalUsage, Unauthenticated
from gateway.forgeries import MANY, WINDOW_S, Forgeries
from gateway.jose import sign
from gateway.jwk import unb64url
from gateway.keys import b64url
from gateway.local.valkey import Valkey
from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway import forge
from tests.gateway.city import TestCity, open_test_city
from tests.gateway.oauth.client import PartyClient
from tests.gateway.oauth.conftest import over_http

NOW_US = 1_790_000_000 * SECOND_US
MOST = 5


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW_US)


@pytest.fixture
async def town(
    database: Database, valkey: Valkey, owner: Connection, tmp_path: Path, clock: FixedClock
) -> AsyncIterator[TestCity]:
    urls = database.gateway_url, owner, valkey.url
    async with open_test_city(*urls, tmp_path, clock=clock, bad_signatures_max=MOST) as town:
        await town.party()
        yield town


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signature was looked at."""
    seen: list[str] = []
    check = jose.check_signature

    def counting(compact: str, *given: Any) -> None:
        seen.append(compact)
        check(compact, *given)

    monkeypatch.setattr(jose, "check_signature", counting)
    return seen


def issued(town: TestCity, name: str = "bike-shop") -> str:
    principal = town.principal(name)
    return town.city.tokens.issue(principal.party, "k1", principal.scopes).token


def claims_of(token: str) -> AccessClaims:
    return msgspec.json.decode(unb64url(token.split(".")[1]), type=AccessClaims)


def forged(town: TestCity, **changes: Any) -> str:
    """A token that claims to be a party's, with a jti of the forger's own."""
    claims = claims_of(issued(town))
    given = {"jti": town.city.ids.token()} | changes
    return sign(
        Kind.ACCESS,
        msgspec.structs.replace(claims, **given),
        town.city.keys.token_kid,
        forge.STRANGER,
    )


def twisted(town: TestCity, token: str) -> str:
    """A token's own claims under a signature that is none."""
    return f"{token.rpartition('.')[0]}.{b64url(town.city.ids.random_bytes(64))}"


def asked(town: TestCity, token: str) -> str:
    """What becomes of a token: `passes`, or the refusal's class."""
    try:
        town.city.tokens.authenticate([(b"authorization", f"Bearer {token}".encode())])
    except (Unauthenticated, AbnormalUsage) as refusal:
        return type(refusal).__name__
    return "passes"


# ---------------------------------------------------------------- access tokens


async def test_a_flood_of_distinct_forgeries_is_looked_at_so_often_and_no_more(
    town: TestCity, looked_at: list[str]
) -> None:
    outcomes = [asked(town, forged(town)) for _ in range(200)]
    assert outcomes == ["Unauthenticated"] * MOST + ["AbnormalUsage"] * (200 - MOST)
    assert len(looked_at) == MOST


async def test_a_flood_under_ever_new_names_ends_too(town: TestCity, looked_at: list[str]) -> None:
    names = [f"name-{number}" for number in range(500)]
    outcomes = [asked(town, forged(town, client_id=name, sub=name)) for name in names]
    assert outcomes.count("AbnormalUsage") == 500 - MOST * MANY
    assert len(looked_at) == MOST * MANY


async def test_tokens_that_are_remembered_are_found_in_any_flood(town: TestCity) -> None:
    genuine = issued(town)
    assert asked(town, genuine) == "passes"
    for _ in range(50):
        asked(town, forged(town))
    assert asked(town, genuine) == "passes"


async def test_a_new_token_of_the_very_party_that_is_flooded_passes(
    town: TestCity, looked_at: list[str]
) -> None:
    for _ in range(50):
        asked(town, forged(town))
    assert asked(town, forged(town)) == "AbnormalUsage"
    assert [asked(town, issued(town)) for _ in range(20)] == ["passes"] * 20
    assert len(looked_at) == MOST + 20


async def test_one_who_holds_a_token_can_vary_it_only_so_often_and_only_in_its_own_name(
    town: TestCity, looked_at: list[str]
) -> None:
    await town.party("other-shop")
    own = issued(town)
    outcomes = [asked(town, twisted(town, own)) for _ in range(50)]
    assert outcomes == ["Unauthenticated"] * MOST + ["AbnormalUsage"] * (50 - MOST)
    assert len(looked_at) == MOST
    assert asked(town, issued(town, "other-shop")) == "passes"


@pytest.mark.parametrize("change", ["client_id", "iat", "exp"])
async def test_a_mark_is_good_for_its_own_party_and_times_alone(
    town: TestCity, change: str, looked_at: list[str]
) -> None:
    """The mark of one's own token makes no other party's forgeries count as marked."""
    await town.party("other-shop")
    own = claims_of(issued(town, "other-shop"))
    changes: dict[str, dict[str, Any]] = {
        "client_id": {"client_id": "bike-shop", "sub": "bike-shop"},
        "iat": {"client_id": "other-shop", "sub": "other-shop", "iat": own.iat + 1},
        "exp": {"client_id": "other-shop", "sub": "other-shop", "exp": own.exp - 1},
    }
    victim = changes[change]["client_id"]
    for _ in range(50):
        asked(town, forged(town, jti=own.jti, **changes[change]))
    assert len(looked_at) == MOST
    assert asked(town, issued(town, victim)) == "passes"


@pytest.mark.parametrize("jti", ["A" * 31, "A" * 33, "?" * 32, "x", "A" * 256])
async def test_an_id_of_another_form_is_merely_unmarked(town: TestCity, jti: str) -> None:
    assert asked(town, forged(town, jti=jti)) == "Unauthenticated"


async def test_tokens_of_a_version_without_marks_pass_while_there_is_no_flood(
    town: TestCity,
) -> None:
    keys = town.city.keys
    claims = msgspec.structs.replace(claims_of(issued(town)), jti=town.city.ids.token())
    old = sign(Kind.ACCESS, claims, keys.token_kid, keys.token_signing[keys.token_kid])
    assert asked(town, old) == "passes"


async def test_good_signatures_are_never_counted(town: TestCity) -> None:
    assert [asked(town, issued(town)) for _ in range(MOST * MANY)] == ["passes"] * MOST * MANY


async def test_with_the_next_window_forgeries_are_looked_at_again(
    town: TestCity, clock: FixedClock, looked_at: list[str]
) -> None:
    for window in (1, 2, 3):
        for _ in range(20):
            asked(town, forged(town))
        assert len(looked_at) == MOST * window
        clock.advance(seconds=WINDOW_S)


async def test_who_is_not_looked_at_keeps_its_token_and_is_told_when_to_return(
    town: TestCity, clock: FixedClock
) -> None:
    """Not a 401: that would send an honest client for a token that it does not need."""
    for _ in range(MOST):
        asked(town, forged(town))
    clock.advance(seconds=4)
    with pytest.raises(AbnormalUsage) as caught:
        town.city.tokens.authenticate([(b"authorization", f"Bearer {forged(town)}".encode())])
    status, headers, body = problem_bytes(caught.value)
    assert status == 429
    assert b"#abnormal-usage-detected" in body
    assert int(dict(headers)[b"retry-after"]) >= WINDOW_S - 4


async def test_a_flood_over_http_is_401_and_then_429(town: TestCity, looked_at: list[str]) -> None:
    async with over_http(town.city) as http:
        for path in ("/v1/scenarios/rent/eligibility", "/v1/consent-requests"):
            headers = [{"authorization": f"Bearer {forged(town)}"} for _ in range(10)]
            answers = [await http.post(path, json={}, headers=each) for each in headers]
            assert {answer.status_code for answer in answers[MOST:]} == {429}
    assert len(looked_at) == MOST


# ---------------------------------------------------------------- client assertions


async def test_bad_assertions_are_looked_at_so_often_and_no_more(
    town: TestCity, looked_at: list[str]
) -> None:
    async with over_http(town.city) as http:
        stranger = PartyClient(town, http)
        statuses = [(await stranger.ask()).status_code for _ in range(12)]
        assert statuses == [401] * MOST + [429] * (12 - MOST)
        assert len(looked_at) == MOST


async def test_an_unknown_client_is_shed_like_a_wrong_key(town: TestCity) -> None:
    async with over_http(town.city) as http:
        told = []
        for name in ("bike-shop", "nobody-at-all"):
            client = PartyClient(town, http, name=name)
            answers = [await client.ask() for _ in range(MOST + 3)]
            told.append([(answer.status_code, answer.text) for answer in answers])
        assert told[0] == told[1]


async def test_another_address_in_the_same_name_is_not_shed(town: TestCity) -> None:
    endpoint = town.city.token_endpoint
    async with over_http(town.city) as http:
        stranger, party = PartyClient(town, http), PartyClient(town, http)
        await party.enrol()
        for _ in range(MOST):
            await endpoint.answer(stranger.form(), "192.0.2.66")
        with pytest.raises(AbnormalUsage):
            await endpoint.answer(stranger.form(), "192.0.2.66")
        assert not hasattr(await endpoint.answer(party.form(), "192.0.2.1"), "reason")


async def test_a_key_that_was_registered_a_moment_ago_is_no_forgery(town: TestCity) -> None:
    """The first look fails for want of the key; only the last one counts."""
    async with over_http(town.city) as http:
        party = PartyClient(town, http)
        await party.enrol()
        assert (await party.ask()).status_code == 200
        assert town.city.forgeries.looked_at == 0


# ---------------------------------------------------------------- the counts


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0, 4)), max_size=80))
def test_no_rhythm_makes_a_name_cost_more_than_its_count_in_a_window(
    steps: list[tuple[str, bool, float]],
) -> None:
    clock = FixedClock(0)
    counts = Forgeries(clock, most=3)
    window_began, looked_at = 0.0, dict.fromkeys("abc", 0)
    for name, bad, pause_s in steps:
        clock.advance(seconds=pause_s)
        if clock.monotonic() - window_began >= WINDOW_S:
            window_began, looked_at = clock.monotonic(), dict.fromkeys("abc", 0)
        tolerated = counts.tolerates(name)
        assert tolerated == (looked_at[name] < 3)
        if tolerated and bad:
            counts.failed(name)
            looked_at[name] += 1


def test_names_beyond_the_bound_share_one_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgeries, "NAMES_MAX", 4)
    counts = Forgeries(FixedClock(0), most=2)
    for number in range(1000):
        if counts.tolerates(f"name-{number}"):
            counts.failed(f"name-{number}")
    assert len(counts._counts) <= 5
    assert counts.looked_at <= 4 + 2
    assert counts.tolerates("name-0"), "a name that has its own count keeps it"


def test_a_flood_is_one_line_a_window_and_names_nobody() -> None:
    clock = FixedClock(0)
    counts = Forgeries(clock, most=2)
    with capture_logs() as lines:
        for _ in range(500):
            if counts.tolerates("victim"):
                counts.failed("victim")
        assert lines == []
        clock.advance(seconds=WINDOW_S)
        counts.roll()
        counts.roll()
    assert lines == [
        {"event": "bad_signatures", "log_level": "warning", "count": 2, "attempts": 500}
    ]
