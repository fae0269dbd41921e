"""`qianjiang seed`: one command peoples a city, once, and never one of real people."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import asyncpg
import msgspec
import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.ids import SystemIds
from gateway.keys import load_keys, write_keys
from gateway.local.populate import Population, populate
from gateway.local.seeds import load_seeds
from gateway.local.valkey import Valkey
from gateway.pseudonyms import SUBJECT_CHARS, Pseudonyms
from gateway.publication import publish
from gateway.settings import Settings, as_environment
from tests.engines import Database
from tests.gateway.city import registry

CITIZENS = 25


@pytest.fixture
def settings(database: Database, valkey: Valkey, tmp_path: Path) -> Settings:
    """A migrated city with its scenarios published and fresh keys."""
    write_keys(tmp_path / "keys.json", SystemIds())
    asyncio.run(_publish(database))
    return Settings(
        issuer="http://127.0.0.1:8700",
        city="330100",
        database_url=database.gateway_url,
        valkey_url=valkey.url,
        keys_file=tmp_path / "keys.json",
        oidc_issuer="http://127.0.0.2:8701",
        oidc_synthetic=True,
        allow_loopback_http=True,
    )


async def _publish(database: Database) -> None:
    owner = await asyncpg.connect(database.owner_url)
    await publish(owner, registry(), "330100")
    await owner.close()


def run(database: Database, settings: Settings, folder: Path) -> Result:
    """The command as `up` and people call it."""
    given = as_environment(settings) | {"QIANJIANG_OWNER_URL": database.owner_url}
    words = ["seed", "--citizens", str(CITIZENS), "--folder", str(folder)]
    return CliRunner().invoke(main, words, env=given)


def test_a_city_is_peopled_once(database: Database, settings: Settings, tmp_path: Path) -> None:
    first = run(database, settings, tmp_path)
    assert first.exit_code == 0, first.output
    assert f"{CITIZENS} generated citizens" in first.output
    subjects, keys = tmp_path / "subjects.txt", tmp_path / "parties.json"
    for file in (subjects, keys):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = subjects.read_text().splitlines()
    assert len(lines) == len(set(lines)) == CITIZENS
    assert {len(line) for line in lines} == {SUBJECT_CHARS}
    before = subjects.read_bytes(), keys.read_bytes()
    second = run(database, settings, tmp_path)
    assert second.output == first.output
    assert (subjects.read_bytes(), keys.read_bytes()) == before


def test_a_city_of_real_people_is_refused(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    real = msgspec.structs.replace(settings, oidc_synthetic=False)
    result = run(database, real, tmp_path)
    assert result.exit_code == 1
    assert "QIANJIANG_OIDC_SYNTHETIC" in result.output
    assert not (tmp_path / "parties.json").exists()


def test_who_is_who_is_said_in_the_words_of_the_contract(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    made: Population = asyncio.run(populate(database.owner_url, settings, tmp_path, CITIZENS))
    seeds = load_seeds()
    assert [party.client_id for party in made.parties] == [one.id for one in seeds.parties.party]
    for party in made.parties:
        assert {"kty", "crv", "x", "y", "d", "kid"} <= set(party.jwk)
        assert all(scope.startswith("scenario:") for scope in party.scopes)
    named = {persona.login: persona.subjects for persona in made.personas}
    assert named["xu"] == named["shi"] == {}  # no record, no name
    assert set(named["lin"]) == {party.client_id for party in made.parties}
    # Hospitals know a citizen by the operator's name, merchants each by their own.
    assert named["lin"]["example-hospital-one"] == named["lin"]["example-hospital-two"]
    assert named["lin"]["example-bikes"] != named["lin"]["example-cameras"]


def test_every_score_is_said_for_the_day_of_one_publication(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    for _ in range(2):
        asyncio.run(populate(database.owner_url, settings, tmp_path, CITIZENS))
    runs, strays = asyncio.run(_runs(database))
    assert (runs, strays) == (1, 0)


def test_the_subjects_are_the_merchants_own_names_of_its_citizens(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    made = asyncio.run(populate(database.owner_url, settings, tmp_path, CITIZENS))
    sector, known = asyncio.run(_look(database))
    pseudonyms = Pseudonyms(load_keys(settings.keys_file).subject, settings.city)
    lines = made.subjects_file.read_text().splitlines()
    opened = {pseudonyms.open(line, sector) for line in lines}
    assert None not in opened
    assert opened <= known


async def _look(database: Database) -> tuple[int, set[object]]:
    owner = await asyncpg.connect(database.owner_url)
    sector = await owner.fetchval("SELECT sector FROM legal_entity WHERE id = 'example-bikes'")
    known = {row["id"] for row in await owner.fetch("SELECT id FROM citizen")}
    await owner.close()
    return sector, known


async def _runs(database: Database) -> tuple[int, int]:
    owner = await asyncpg.connect(database.owner_url)
    runs = await owner.fetchval("SELECT count(*) FROM publish_run WHERE as_of IS NOT NULL")
    strays = await owner.fetchval(
        "SELECT count(*) FROM score WHERE run <> (SELECT max(id) FROM publish_run)"
    )
    await owner.close()
    return runs, strays
