"""Citizens written in bulk stand as those written one by one: decisions take their standings."""

from __future__ import annotations

from uuid import UUID

import pytest

from gateway.city import City
from loadtest import manifests, population, whole
from loadtest.party import Shop, register
from scenarios.contract import Outcome
from tests.gateway.city import TestCity


def silent(_: str) -> None:
    """Report progress to nobody."""


@pytest.mark.parametrize("consents", [1, 3, 200])
async def test_a_citizen_of_a_population_is_eligible_at_the_first_try(
    town: TestCity, shop: Shop, consents: int
) -> None:
    city, caller = town.city, whole.principal(town.city, shop)
    holdings = population.shoppers(shop, list(city.registry), ["rent"], consents)
    people = await population.settle(city, town.owner, 3, holdings, silent)
    await population.warm(city, town.owner, people, silent)

    answers = [await town.ask(citizen, caller) for citizen in people]

    assert [answer.outcome for answer in answers] == [Outcome.ELIGIBLE] * 3
    # A standing that did not hold would have been decided twice.
    assert city.committer.batcher.items == 3
    query = "SELECT d.standing_version = s.version FROM decision d JOIN standing s USING (citizen)"
    assert [row[0] for row in await town.owner.fetch(query)] == [True] * 3


async def test_who_consented_to_something_else_is_not_eligible(town: TestCity, shop: Shop) -> None:
    """The negative control: an answer is made of what the standing holds."""
    holdings = population.shoppers(shop, ["rent"], ["library"], 3)
    people = await population.settle(town.city, town.owner, 1, holdings, silent)

    answer = await town.ask(people[0], whole.principal(town.city, shop))

    assert answer.outcome is Outcome.STANDARD_PATH


async def test_a_cache_that_does_not_hold_them_is_not_called_warm(town: TestCity) -> None:
    with pytest.raises(RuntimeError, match="1 of 1 entries"):
        await population.warm(town.city, town.owner, [town.city.ids.random_uuid()], silent)


async def test_more_consents_than_recipients_are_refused(shop: Shop) -> None:
    with pytest.raises(ValueError, match="at most"):
        population.shoppers(shop, ["rent"], ["rent"], 1_000)


async def test_generated_scenarios_answer_a_population_asked_in_turn(town: TestCity) -> None:
    names = [manifests.name_of(number) for number in range(len(manifests.PLANS))]
    city = manifests.city_with(town.city.settings, manifests.registry(len(names), packaged=False))
    await manifests.put_live(town.owner, city.registry)
    async with city.running():
        shop = await register(city, town.owner, names)
        holdings = population.shoppers(shop, names, names, 3)
        people = await population.settle(city, town.owner, len(names), holdings, silent)
        answers = [await _ask(city, town, shop, people[n], name) for n, name in enumerate(names)]
    assert answers == [Outcome.ELIGIBLE] * len(names)


async def _ask(city: City, town: TestCity, shop: Shop, citizen: UUID, name: str) -> Outcome:
    asking = TestCity(city, town.owner)
    answer = await asking.ask(citizen, whole.principal(city, shop), scenario=name)
    return answer.outcome
