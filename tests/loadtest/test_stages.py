"""Every stage of the profile is a stage of the path: questions go through all and are recorded."""

from __future__ import annotations

from pathlib import Path

import msgspec

from loadtest import population, stages, way
from loadtest.party import Shop
from loadtest.questions import Questions
from tests.gateway.city import TestCity

OPTIONS = stages.Options(rounds=1, sample=6)


def silent(_: str) -> None:
    """Report progress to nobody."""


async def test_questions_pass_every_stage_to_a_recorded_answer(
    town: TestCity, shop: Shop, tmp_path: Path
) -> None:
    holdings = population.shoppers(shop, list(town.city.registry), ["rent"], 3)
    people = await population.settle(town.city, town.owner, OPTIONS.sample, holdings, silent)
    questions = Questions(town.city, shop, people, ["rent"], tmp_path)
    worker = way.Way(town.city, batch=4)
    asked = way.on_their_way(questions, OPTIONS.sample)

    for _, step, _ in way.STAGES:
        await step(worker, asked)

    rows = await town.owner.fetch("SELECT id, outcome FROM decision")
    assert {row["outcome"] for row in rows} == {1}
    sent = {msgspec.json.decode(each.sent)["decision_id"] for each in asked}
    assert {str(row["id"]) for row in rows} == sent
    assert len(sent) == OPTIONS.sample


def test_a_stage_measured_inside_another_is_taken_out_of_it() -> None:
    names = [name for name, _, _ in way.STAGES]
    assert all(inner in names for _, _, inside in way.STAGES for inner in inside)
    profile = stages.Profile(
        total_us=10,
        postgres_us=1,
        valkey_us=1,
        per_second=1,
        batch=1,
        stages=[stages.Stage("a", 3), stages.Stage("b", 4)],
    )
    assert profile.rest_us == 3
