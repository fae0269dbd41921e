"""Peopling a city: every story comes true through the real services, once, and the day adds up."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from gateway.body import decode_body
from gateway.errors import AdultsOnly
from gateway.fact_import import FactImport
from gateway.local.credentials import PrivateKeys
from gateway.local.generator import CONSENTING, citizen, generated
from scenarios.contract import Outcome
from tests.engines import Database
from tests.gateway.city import TestCity
from tests.gateway.local.seeded import SEEDS, Day, logins, parties, seeding

COUNTED = ("citizen", "fact", "score", "consent", "commitment", "device", "loan", "points_entry")


async def counts(town: TestCity) -> dict[str, int]:
    """How many rows there are."""
    return {table: await town.owner.fetchval(f"SELECT count(*) FROM {table}") for table in COUNTED}


async def bands(town: TestCity) -> dict[object, int]:
    """The band that decisions read, of every citizen."""
    rows = await town.owner.fetch("SELECT citizen, body FROM standing")
    return {row["citizen"]: decode_body(row["body"]).band for row in rows}


async def test_every_persona_has_the_record_that_the_story_tells(
    town: TestCity, database: Database, tmp_path: Path
) -> None:
    async with seeding(town, database, tmp_path) as seeder:
        citizens = await seeder.run(SEEDS.personas)
    assert set(citizens) == logins(SEEDS.personas, "kept", "erased")
    held = await bands(town)
    for persona in SEEDS.personas:
        if persona.record == "kept":
            assert held[citizens[persona.login]] == persona.band, persona.login
    erased = citizens["lv"]
    row = await town.owner.fetchrow("SELECT * FROM citizen WHERE id = $1", erased)
    assert row is not None
    assert (row["wrapped_key"], row["identity"], row["identity_index"]) == (None, None, None)
    assert held[erased] == 0


async def test_the_day_comes_out_as_expected_and_again_on_the_same_data(
    town: TestCity, database: Database, tmp_path: Path
) -> None:
    async with seeding(town, database, tmp_path) as seeder:
        citizens = await seeder.run(SEEDS.personas)
    day = Day(town, SEEDS, citizens)
    for step, outcome in await day.play():
        assert outcome == step.expected, (step.at, step.party, step.persona)
    for step, outcome in await day.play():
        assert outcome in step.allowed, (step.at, step.party, step.persona)


async def test_every_scenarios_example_is_eligible_for_one_and_ordinary_for_another(
    town: TestCity, database: Database, tmp_path: Path
) -> None:
    async with seeding(town, database, tmp_path) as seeder:
        citizens = await seeder.run(SEEDS.personas)
    day = Day(town, SEEDS, citizens)
    asking = {scenario: party.id for party in SEEDS.parties.party for scenario in party.scenarios}
    asking |= {"points": "example-wenquan", "library": "example-library-main"}
    for scenario, party in asking.items():
        outcomes = {
            login: await day.example(party, scenario, citizens[login]) for login in ("lin", "sun")
        }
        if scenario == "rent":  # the merchant of the examples
            outcomes["lin"] = await day.example("example-bikes", scenario, citizens["lin"])
        assert outcomes == {"lin": Outcome.ELIGIBLE, "sun": Outcome.STANDARD_PATH}, scenario


async def test_seeding_again_changes_nothing(
    town: TestCity, database: Database, tmp_path: Path
) -> None:
    async with seeding(town, database, tmp_path) as seeder:
        people = [*SEEDS.personas, *generated(30)]
        first = await seeder.run(people)
        before = await counts(town), await town.owner.fetch("SELECT * FROM standing ORDER BY 1")
        # The persona who signs in later has facts and no record: they are imported again.
        assert await seeder.run(people) == first
    after = await counts(town), await town.owner.fetch("SELECT * FROM standing ORDER BY 1")
    assert after == before
    assert before[0]["citizen"] == len(logins(SEEDS.personas, "kept", "erased")) + 30


async def test_seeding_that_was_cut_off_is_taken_up(
    town: TestCity, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.local.seeding.BATCH", 10)

    def cut(done: int) -> None:
        raise KeyboardInterrupt

    async with seeding(town, database, tmp_path) as seeder:
        with pytest.raises(KeyboardInterrupt):
            await seeder.run(generated(30), cut)
        assert (await counts(town))["citizen"] == 10
        assert len(await seeder.run(generated(30))) == 30
    assert (await counts(town))["citizen"] == 30


@pytest.mark.parametrize("login", ["xu", "he"])
async def test_nobody_is_seeded_whom_a_sign_in_would_turn_away(
    town: TestCity, database: Database, tmp_path: Path, login: str
) -> None:
    others = [*generated(3)]
    refused = next(persona for persona in SEEDS.personas if persona.login == login)
    async with seeding(town, database, tmp_path) as seeder:
        with pytest.raises(AdultsOnly):
            await seeder.run([*others, msgspec.structs.replace(refused, record="kept")])
    assert (await counts(town))["citizen"] == 0  # nobody of their batch either
    assert await town.owner.fetchval("SELECT count(*) FROM standing") == 0


async def test_generated_citizens_hold_what_their_number_says(
    town: TestCity, database: Database, tmp_path: Path
) -> None:
    async with seeding(town, database, tmp_path) as seeder:
        citizens = await seeder.run(generated(3 * CONSENTING))
    held = await bands(town)
    day = Day(town, SEEDS, citizens)
    for number in (CONSENTING, CONSENTING * 2, CONSENTING * 3, 1, 2):
        told = citizen(number)
        assert held[citizens[told.login]] == told.band
        outcome = await day.example("example-bikes", "rent", citizens[told.login])
        eligible = bool(told.consents) and told.band >= 3
        assert outcome is (Outcome.ELIGIBLE if eligible else Outcome.STANDARD_PATH)
    made = await counts(town)
    assert made["consent"] == made["commitment"] == made["device"] == 3


def test_the_generator_makes_the_same_people_every_time() -> None:
    assert list(generated(200)) == list(generated(200))
    assert {one.band for one in generated(20)} == {1, 2, 3, 4, 5}
    share = [one.band for one in generated(2000)]
    assert share.count(3) > share.count(4) > share.count(5) > share.count(1)
    ready = [one for one in generated(2000) if one.consents and one.band >= 3]
    assert len(ready) >= 30


async def test_facts_go_through_the_importers_own_checks(
    town: TestCity, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    run = FactImport.run

    async def counted(self: FactImport, given: object, on_reject: object) -> object:
        rows = list(given)  # type: ignore[call-overload]  # whatever is passed on
        seen.append(len(rows))
        return await run(self, rows, on_reject)  # type: ignore[arg-type]  # whatever came

    monkeypatch.setattr(FactImport, "run", counted)
    async with seeding(town, database, tmp_path) as seeder:
        await seeder.run(generated(20))
    assert sum(seen) == (await counts(town))["fact"] == sum(len(o.facts) for o in generated(20))


async def test_parties_are_registered_once_and_keep_their_keys(
    town: TestCity, database: Database, tmp_path: Path
) -> None:
    first = await parties(database, tmp_path)
    revisions = await town.owner.fetch("SELECT id, revision FROM party ORDER BY id")
    assert await parties(database, tmp_path) == first
    assert await town.owner.fetch("SELECT id, revision FROM party ORDER BY id") == revisions
    assert len(first) == len(SEEDS.parties.party) == len(revisions)
    assert stat.S_IMODE((tmp_path / "parties.json").stat().st_mode) == 0o600
    stored = await town.owner.fetchval("SELECT string_agg(jwk, '') FROM party_key")
    assert not any(key["d"] in stored for key in first.values())


async def test_parties_whose_keys_were_lost_get_new_ones(
    town: TestCity, database: Database, tmp_path: Path
) -> None:
    before = await parties(database, tmp_path)
    (tmp_path / "parties.json").unlink()
    after = await parties(database, tmp_path)
    assert all(after[name]["kid"] != before[name]["kid"] for name in before)
    await town.city.parties.refresh(force=True)
    for name, key in after.items():
        party = town.city.parties.get(name)
        assert party is not None
        assert list(party.row.keys) == [key["kid"]]


async def test_a_file_of_keys_survives_a_new_database(
    town: TestCity, database: Database, tmp_path: Path
) -> None:
    kept: PrivateKeys = await parties(database, tmp_path)
    raw = (tmp_path / "parties.json").read_bytes()
    assert msgspec.json.decode(raw, type=PrivateKeys) == kept
    await town.owner.execute("TRUNCATE party CASCADE")
    assert await parties(database, tmp_path) == kept
