"""The citizen decides: reads who asks for what, in which words; allows all, some of it, or none."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import pytest

from gateway.sessions import hash_of
from tests.gateway.callers import Callers, key
from tests.gateway.city import TestCity
from tests.gateway.recognised.conftest import Arrive
from tests.gateway.recognised.home import REQUESTS, Citizen
from tests.gateway.recognised.others import STEEP, Neighbours
from tests.gateway.recognised.partner import Attempt, Partner

NOBODYS = f"{REQUESTS}/{UUID(int=7)}"
TEXT = {"text_sha256": "0" * 64}


async def consents(town: TestCity) -> list[tuple[int, str]]:
    rows = await town.owner.fetch("SELECT version, status FROM consent ORDER BY version")
    return [(row["version"], row["status"]) for row in rows]


# ------------------------------------------------------------------ strangers


async def test_a_stranger_reads_and_decides_nothing(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    path = await citizen.arrive(partner, Attempt())
    callers = Callers(town)
    for client in (callers.stranger(), callers.party(f"city-{partner.code}")):
        assert (await client.get(path)).status_code == 401
        for act in ("allow", "decline"):
            assert (await client.post(f"{path}/{act}", json=TEXT)).status_code == 401
    assert await consents(town) == []


async def test_somebody_else_finds_nothing_there(
    partner: Partner, citizen: Citizen, arrive: Arrive, town: TestCity
) -> None:
    path, other = await citizen.arrive(partner, Attempt()), await arrive(2)
    await other.arrive(partner, Attempt())
    for where in (path, NOBODYS):
        assert (await other.page.get(where)).status_code == 404
        assert (await other.post(f"{where}/allow", TEXT)).status_code == 404
        assert (await other.post(f"{where}/decline")).status_code == 404
    assert await consents(town) == []


async def test_only_the_own_page_decides(partner: Partner, citizen: Citizen) -> None:
    path = await citizen.arrive(partner, Attempt())
    for act in ("allow", "decline"):
        forged = await citizen.post(f"{path}/{act}", TEXT, **{"x-csrf-token": "x"})
        assert forged.status_code == 403
        foreign = await citizen.post(f"{path}/{act}", TEXT, origin="https://330200.example")
        assert foreign.status_code == 403
    plain = await citizen.page.post(
        f"{path}/allow", json=TEXT, headers={"x-csrf-token": citizen.csrf}
    )
    assert plain.status_code == 400  # without a key


async def test_a_visitor_of_ours_is_never_passed_on(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    """A city vouches for its own citizens: one who is here by another city's word is not."""
    path = await citizen.arrive(partner, Attempt())
    await town.owner.execute(
        "WITH home AS (INSERT INTO issuer (code) VALUES ('320500') RETURNING num)"
        " INSERT INTO visitor SELECT $1, num, 'somebody' FROM home",
        await citizen.id(),
    )
    assert (await citizen.page.get(path)).status_code == 404
    assert (await citizen.post(f"{path}/allow", TEXT)).status_code == 404
    assert await consents(town) == []


# ------------------------------------------------------------------ what is read


async def test_the_citizen_reads_who_asks_for_what_and_in_which_words(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    shown = await citizen.shown(await citizen.arrive(partner, Attempt()))
    assert shown["city"] == {
        "code": "330200",
        "name": {"zh": "示例城市 330200", "en": "Example city 330200"},
        "contact": "示例：0571-00000000",
        "issuer": partner.issuer,
    }
    text = town.city.registry["recognition"].manifest.consent
    assert shown["text"] == {
        "version": text.version,
        "sha256": text.text_sha256.hex(),
        "zh": text.zh,
        "en": text.en,
    }
    assert (shown["separate"], shown["status"]) == (True, "opened")
    assert shown["recipient"]["name"] == "entity-330200"
    assert [(each["id"], each["open"], each["lacks"]) for each in shown["scenarios"]] == [
        ("library", True, None),
        ("rent", True, None),
    ]
    assert shown["reserved_fen"] == 50_000


@pytest.mark.parametrize(
    ("band", "why", "least"), [(0, "score", None), (3, "tier", 4)], ids=["no score", "a low band"]
)
async def test_where_nothing_is_open_there_is_nothing_to_allow(
    *, partner: Partner, arrive: Arrive, town: TestCity, band: int, why: str, least: int | None
) -> None:
    """The citizen reads why; the city hears what it hears of a citizen who does not want to."""
    citizen, attempt = await arrive(1, band), Attempt()
    path = await citizen.arrive(partner, attempt)
    shown = await citizen.shown(path)
    assert [each["open"] for each in shown["scenarios"]] == [False, False]
    lacks: dict[str, Any] = {"why": why, "band": least, "unmet": []}
    assert [each["lacks"] for each in shown["scenarios"]] == [lacks, lacks]
    assert shown["allow"] is None
    answer = await citizen.allow(path)
    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:qianjiang:problem:nothing-open",
    )
    assert await consents(town) == []
    declined = await citizen.post(shown["decline"])
    said = attempt.came_back(declined.json()["location"], partner)
    assert said == {"error": "access_denied", "state": attempt.state, "iss": said["iss"]}


async def test_what_needs_a_higher_tier_is_not_open_below_it(
    partner: Partner, arrive: Arrive, neighbours: Neighbours
) -> None:
    neighbours.agree(partner.code, scheme=STEEP)
    await neighbours.publish()
    citizen = await arrive(1, 4)
    shown = await citizen.shown(await citizen.arrive(partner, Attempt()))
    assert [each["open"] for each in shown["scenarios"]] == [True, False]
    assert shown["reserved_fen"] == 0


async def test_an_agreement_that_ends_meanwhile_leaves_nothing_to_allow(
    partner: Partner, citizen: Citizen, neighbours: Neighbours, town: TestCity
) -> None:
    path = await citizen.arrive(partner, Attempt())
    neighbours.disagree(partner.code)
    await neighbours.publish()
    shown = await citizen.shown(path)
    assert (shown["city"], shown["allow"]) == (None, None)
    assert [(each["open"], each["lacks"]) for each in shown["scenarios"]] == [(False, None)] * 2
    assert (await citizen.allow(path)).status_code == 409
    assert await consents(town) == []
    assert (await citizen.post(f"{path}/decline")).status_code == 200


# ------------------------------------------------------------------ allowed


async def test_allowing_is_a_separate_consent_that_names_the_city(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    attempt = Attempt()
    path = await citizen.arrive(partner, attempt)
    answer = await citizen.allow(path)
    said = attempt.came_back(answer.json()["location"], partner)
    assert set(said) == {"code", "state", "iss"}
    assert len(said["code"]) * 6 >= 128
    (held,) = (await citizen.page.get("/v1/me/consents")).json()["consents"]
    assert (held["scenario"], held["status"]) == ("recognition", "active")
    assert held["recipient"]["name"] == "entity-330200"
    kept = await town.owner.fetchrow("SELECT * FROM recognition_request")
    assert kept is not None
    assert kept["code_hash"] == hashlib.sha256(said["code"].encode()).digest()
    assert kept["code_until"] is not None
    for table in ("recognition_request", "idempotency", "webhook_message", "consent"):
        rows = str(await town.owner.fetchval(f"SELECT json_agg(t) FROM {table} AS t"))
        assert said["code"] not in rows, table
    assert (await citizen.shown(path))["allow"] is None


async def test_the_text_that_was_shown_is_the_text_that_counts(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    path = await citizen.arrive(partner, Attempt())
    answer = await citizen.post(f"{path}/allow", TEXT)
    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:qianjiang:problem:text-changed",
    )
    for sent in ({}, {"text_sha256": "x"}, {"text_sha256": "0" * 64, "more": 1}):
        assert (await citizen.post(f"{path}/allow", sent)).status_code == 400
    assert await consents(town) == []


async def test_some_of_it_can_be_allowed_and_nothing_beyond_it(
    partner: Partner, citizen: Citizen
) -> None:
    attempt = Attempt()
    path = await citizen.arrive(partner, attempt, scope="scenario:library scenario:rent")
    for beyond in (["hospital"], ["library", "points"], []):
        assert (await citizen.allow(path, scenarios=beyond)).status_code == 400
    answer = await citizen.allow(path, scenarios=["library", "library"])
    attempt.came_back(answer.json()["location"], partner)
    redeemed = await partner.redeem(attempt)
    assert redeemed.json()["scope"] == "scenario:library"


async def test_allowing_twice_is_allowing_once(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    path = await citizen.arrive(partner, Attempt())
    text = (await citizen.shown(path))["text"]["sha256"]
    same = {"text_sha256": text}
    answers = [
        await citizen.post(f"{path}/allow", same, key=each) for each in ("one", "one", "two")
    ]
    assert len({answer.text for answer in answers}) == 1
    assert await consents(town) == [(1, "active")]
    other = await citizen.post(f"{path}/allow", same | {"scenarios": ["rent"]}, key="one")
    assert other.status_code == 422
    assert (await citizen.post(f"{path}/allow", same | {"scenarios": ["rent"]})).status_code == 409
    assert (await citizen.post(f"{path}/decline")).status_code == 409


async def test_who_declined_has_declined(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    attempt = Attempt()
    path = await citizen.arrive(partner, attempt)
    answers = [await citizen.post(f"{path}/decline") for _ in range(2)]
    for answer in answers:
        said = attempt.came_back(answer.json()["location"], partner)
        assert said["error"] == "access_denied"
    assert (await citizen.allow(path)).status_code == 409
    assert await consents(town) == []
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 0


async def test_ten_minutes_are_enough_to_decide(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    path = await citizen.arrive(partner, Attempt())
    left = "SELECT extract(epoch FROM expires_at - opened_at)::int FROM recognition_request"
    assert await town.owner.fetchval(left) == 600
    await town.owner.execute("UPDATE recognition_request SET expires_at = clock_timestamp()")
    shown = await citizen.shown(path)
    assert (shown["status"], shown["allow"], shown["decline"]) == ("expired", None, None)
    assert (await citizen.allow(path)).status_code == 409
    assert (await citizen.post(f"{path}/decline")).status_code == 409


async def test_a_consent_that_stands_is_given_anew_and_what_was_narrowed_stays(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    await citizen.visit(partner)
    (held,) = (await citizen.page.get("/v1/me/consents")).json()["consents"]
    await citizen.post(f"/v1/me/consents/{held['id']}/frequency", {"frequency": 9})
    await citizen.post(f"/v1/me/consents/{held['id']}/pause")
    await citizen.visit(partner)
    (now,) = (await citizen.page.get("/v1/me/consents")).json()["consents"]
    assert (now["id"], now["status"], now["frequency"]) == (held["id"], "active", 9)
    assert now["until"] > held["until"]
    await citizen.post(f"/v1/me/consents/{held['id']}/withdraw")
    await citizen.visit(partner)
    (after,) = (await citizen.page.get("/v1/me/consents")).json()["consents"]
    assert (after["status"], after["frequency"]) == ("active", None)


async def test_two_cities_get_two_consents(
    partner: Partner, stranger: Partner, citizen: Citizen
) -> None:
    for each in (partner, stranger):
        await citizen.visit(each)
    held = (await citizen.page.get("/v1/me/consents")).json()["consents"]
    assert len({each["id"] for each in held}) == 2
    assert {each["recipient"]["name"] for each in held} == {"entity-330200", "entity-320500"}


async def test_a_session_that_ended_decides_nothing(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    path = await citizen.arrive(partner, Attempt())
    cookie = citizen.page.cookies[town.city.sessions.cookie]
    await town.owner.execute(
        "UPDATE session SET ended_at = clock_timestamp() WHERE id_hash = $1", hash_of(cookie)
    )
    assert (await citizen.post(f"{path}/allow", TEXT)).status_code == 401


async def test_an_idempotency_key_is_needed_to_allow_and_not_to_decline(
    partner: Partner, citizen: Citizen
) -> None:
    path = await citizen.arrive(partner, Attempt())
    own: dict[str, Any] = {"x-csrf-token": citizen.csrf}
    assert (await citizen.page.post(f"{path}/allow", json=TEXT, headers=own)).status_code == 400
    keyed = own | key("a")
    assert (await citizen.page.post(f"{path}/allow", json=TEXT, headers=keyed)).status_code == 409
    assert (await citizen.page.post(f"{path}/decline", headers=own)).status_code == 200
