"""The demonstration's counter staff can sign in, and a second start finds them as they are."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.local.clerks import FILE, engage
from gateway.local.upfile import UpStaff
from tests.engines import Database
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity
from tests.gateway.counter.till import Account, Till
from tests.gateway.local.seeded import SEEDS, parties


@pytest.fixture
async def engaged(town: TestCity, database: Database, tmp_path: Path) -> list[UpStaff]:
    await parties(database, tmp_path)
    return await engage(database.owner_url, town.city.settings, tmp_path)


async def test_every_party_but_the_partner_cities_has_somebody_who_can_sign_in(
    town: TestCity, engaged: list[UpStaff]
) -> None:
    await town.city.parties.refresh(force=True)
    wanted = {party.id for party in SEEDS.parties.party if party.kind != "city"}
    assert {each.party for each in engaged} == wanted
    one = engaged[0]
    till = Till(Callers(town))
    browser = await till.signed_in(Account(one.login, one.totp_secret, one.password))
    assert body(await browser.get("/v1/counter/me"))["login"] == one.login


async def test_a_second_start_changes_nothing_and_a_lost_file_is_mended(
    town: TestCity, database: Database, engaged: list[UpStaff], tmp_path: Path
) -> None:
    file = tmp_path / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = await engage(database.owner_url, town.city.settings, tmp_path)
    assert again == engaged
    file.unlink()
    mended = await engage(database.owner_url, town.city.settings, tmp_path)
    assert {each.login for each in mended} == {each.login for each in engaged}
    assert not {each.password for each in mended} & {each.password for each in engaged}
