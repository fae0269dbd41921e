"""Two parties learn nothing that lets them recognise one citizen between them."""

from __future__ import annotations

import asyncio
import random
from typing import Any, cast
from uuid import UUID

import httpx
import msgspec
import pytest

from gateway.clock import DAY_US, MINUTE_US
from tests.gateway.apps import app_of
from tests.gateway.city import ENTITY, TestCity

OTHER = "rent-a-car"
PEOPLE = 1000


class Shop:
    """A party at the gateway's door: it knows its subjects and what it was answered."""

    def __init__(self, town: TestCity, name: str) -> None:
        self.principal = town.principal(name)
        party = self.principal.party
        self._token = town.city.tokens.issue(party, "k1", self.principal.scopes).token
        self._sector = party.registrations["rent"].view.sector
        self._town = town
        example = town.city.registry["rent"].manifest.example_at(town.city.clock.now_us())
        self.facts = msgspec.to_builtins(example)
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=cast(Any, app_of(town.city))),
            base_url=town.city.settings.issuer,
        )

    def subject(self, citizen: UUID) -> str:
        """The citizen's name at this party."""
        return self._town.city.pseudonyms.subject(citizen, self._sector)

    async def ask(self, citizen: UUID, **facts: Any) -> httpx.Response:
        """Ask over the same door as anybody."""
        return await self.ask_by_name(self.subject(citizen), **facts)

    async def ask_by_name(self, subject: str, **facts: Any) -> httpx.Response:
        """Ask about whatever is given as a subject."""
        body = {"subject": subject, "facts": self.facts | facts}
        return await self._client.post(
            "/v1/scenarios/rent/eligibility",
            json=body,
            headers={"authorization": f"Bearer {self._token}"},
        )


async def test_two_parties_answers_join_no_better_than_chance(town: TestCity) -> None:
    """Each asks about the same 1,000 citizens in an order of its own. An attacker who holds both
    piles of answers joins them on every value they have in common and on time."""
    await town.party()
    await town.party("car-shop", entity=OTHER)
    people = [town.city.ids.random_uuid() for _ in range(PEOPLE)]
    await town.citizens(people)
    piles: list[list[tuple[UUID, dict[str, Any]]]] = []
    for shop in (Shop(town, "bike-shop"), Shop(town, "car-shop")):
        order = random.Random(len(piles)).sample(people, PEOPLE)
        pile = []
        for start in range(0, PEOPLE, 50):
            batch = order[start : start + 50]
            answers = await asyncio.gather(*(shop.ask(citizen) for citizen in batch))
            for citizen, answer in zip(batch, answers, strict=True):
                assert answer.status_code == 200
                pile.append((citizen, answer.json() | {"subject": shop.subject(citizen)}))
        piles.append(pile)
    first, second = piles
    telling = {"subject", "decision_id", "receipt"}
    for name in telling:
        ours = {answer[name] for _, answer in first}
        theirs = {answer[name] for _, answer in second}
        assert len(ours) == len(theirs) == PEOPLE
        assert not ours & theirs, f"{name} is equal at two parties"
    # What is left is equal for everybody or is time. Joined by rank in time, or by rank of any
    # value, chance gives one right pair in the mean; ten would be a channel (p < 1e-6).
    for name in sorted({*telling, "valid_until"}):
        assert _right_pairs(first, second, lambda answer, name=name: answer[name]) <= 10
    assert _right_pairs(first, second, lambda answer: answer["subject"][-8:]) <= 10
    constant = [
        {(str(answer["policy"]), str(answer["obligations"])) for _, answer in pile}
        for pile in piles
    ]
    assert len(constant[0] | constant[1]) == 1


def _right_pairs(
    first: list[tuple[UUID, dict[str, Any]]], second: list[tuple[UUID, dict[str, Any]]], key: Any
) -> int:
    ranked = [sorted(pile, key=lambda entry: key(entry[1])) for pile in (first, second)]
    return sum(ours[0] == theirs[0] for ours, theirs in zip(*ranked, strict=True))


async def _everybody(town: TestCity) -> dict[str, UUID]:
    """One citizen for every reason of the ordinary way."""
    now = town.city.clock.now_us()
    people = {"unknown": UUID(int=9)}
    people["no score"] = await town.ready(band=0)
    people["low band"] = await town.ready(band=1)
    people["no consent"] = await town.citizen()
    await town.commitment(people["no consent"])
    people["no commitment"] = await town.citizen()
    await town.consent(people["no commitment"])
    for status in ("withdrawn", "paused"):
        people[status] = await town.citizen()
        await town.commitment(people[status])
        consent = await town.consent(people[status])
        await town.consent(people[status], consent=consent, version=2, status=status)
    people["consent over"] = await town.citizen()
    await town.commitment(people["consent over"])
    await town.consent(people["consent over"], from_us=now - 2 * DAY_US, to_us=now - MINUTE_US)
    people["used up"] = await town.citizen()
    await town.commitment(people["used up"])
    await town.consent(people["used up"], frequency=1)
    for reason, statement in _MARKS.items():
        people[reason] = await town.ready()
        async with town.city.writer.change(people[reason]):
            await town.owner.execute(statement, people[reason], town.city.ids.random_uuid())
    return people


_MARKS = {
    "suspended": "INSERT INTO suspension (id, citizen, scenario, from_at)"
    " VALUES ($2, $1, 'rent', clock_timestamp() - interval '1 day')",
    "objected": "INSERT INTO objection (id, citizen, opened_at) VALUES ($2, $1, clock_timestamp())",
    "over the cap": "INSERT INTO waiver VALUES ($2::uuid::text, $1, 'x', 900000000, 'epoch')",
    "probed": "INSERT INTO probe_mark SELECT $1, sector, clock_timestamp() + interval '1 hour'"
    f" FROM legal_entity WHERE id = '{ENTITY}' AND $2::uuid IS NOT NULL",
    "erased": "UPDATE citizen SET erased_at = clock_timestamp(), wrapped_key = NULL"
    " WHERE id = $1 AND $2::uuid IS NOT NULL",
}


async def test_every_ordinary_way_looks_alike(town: TestCity) -> None:
    """Same status, header fields, members and size, whatever it is about the citizen."""
    await town.party()
    shop = Shop(town, "bike-shop")
    people = await _everybody(town)
    await shop.ask(people["used up"])
    shapes: dict[str, Any] = {}
    for reason, citizen in people.items():
        answer = await shop.ask(citizen)
        body = answer.json()
        assert (answer.status_code, body["outcome"]) == (200, "standard_path"), reason
        shapes[reason] = (
            len(answer.content),
            tuple(sorted(answer.headers)),
            _skeleton(body),
        )
    assert len(set(shapes.values())) == 1, shapes


def _skeleton(value: Any) -> Any:
    """The members and the lengths of texts, without what varies by nature."""
    if isinstance(value, dict):
        return tuple((name, _skeleton(part)) for name, part in value.items())
    if isinstance(value, list):
        return tuple(_skeleton(part) for part in value)
    return len(value) if isinstance(value, str) else value


async def test_an_answer_carries_nothing_but_the_contract(town: TestCity) -> None:
    await town.party()
    answer = await Shop(town, "bike-shop").ask(await town.ready())
    assert answer.json()["outcome"] == "eligible"
    assert set(answer.json()) == {
        "decision_id",
        "outcome",
        "obligations",
        "valid_until",
        "policy",
        "freshness",
        "receipt",
    }
    assert set(answer.json()["policy"]) == {"scenario", "revision"}
    assert set(answer.json()["freshness"]) == {"score_as_of", "decided_at"}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("characters", [0, 43, 44, 45, 4000])
async def test_a_subject_of_another_party_is_malformed(town: TestCity, characters: int) -> None:
    await town.party()
    await town.party("car-shop", entity=OTHER)
    bikes, cars = Shop(town, "bike-shop"), Shop(town, "car-shop")
    citizen = await town.ready()
    foreign = cars.subject(citizen)
    answer = await bikes.ask_by_name((foreign * 100)[:characters])
    assert answer.status_code in (400, 413)
    assert foreign[:8] not in answer.text
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 0
