"""The demonstration's counter staff: an account at each party, whose secrets this machine keeps.

They are taken up as people do it, through a link, a password and a code. The secrets are drawn
once and kept in the data folder like the parties' keys, so that scripts can sign in; a city that
is not local has no such file.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyotp

from gateway.clock import SECOND_US
from gateway.counter import staff
from gateway.counter.totp import STEP_S
from gateway.ids import SystemIds
from gateway.local.places import write_private
from gateway.local.populate import owned_city
from gateway.local.seeds import seeds_of
from gateway.local.upfile import UpStaff
from gateway.onboarding import PartyForm
from gateway.settings import Settings
from gateway.store import counter_staff as rows
from gateway.store.migrate import Connection, connected
from gateway.working_days import calendar
from scenarios.registry import load_registry

FILE = "staff.json"


async def engage(owner_url: str, settings: Settings, folder: Path) -> list[UpStaff]:
    """See that every party of the seeds has its member of staff, and that this folder knows how
    each signs in. Partner cities have no counter here."""
    seeds = seeds_of(settings.city)
    parties = [party for party in seeds.parties.party if party.kind != "city"]
    known = {each.login: each for each in _read(folder / FILE)}
    async with (
        connected(owner_url) as owner,
        owned_city(owner_url, settings, load_registry(calendar())).running() as city,
    ):
        present = {row.login for row in await rows.everyone(owner, None) if row.enrolled}
        for party in parties:
            if party.id in known and party.id in present:
                continue
            password = SystemIds().token()
            token = await _invite(owner, party)
            offered = await city.enrolments.choose(token, password)
            # The step before now is used up, so that a script can sign in at once.
            step = city.clock.now_us() // SECOND_US // STEP_S - 1
            code = pyotp.TOTP(offered.secret).generate_otp(step)
            await city.enrolments.confirm(offered.ticket, code, instead_of=None)
            known[party.id] = UpStaff(party.id, party.id, password, offered.secret)
            write_private(folder / FILE, msgspec.json.encode(list(known.values())).decode())
    return [known[party.id] for party in parties]


async def _invite(owner: Connection, party: PartyForm) -> str:
    """A link's token; for an account whose secrets were lost as well."""
    if any(row.login == party.id for row in await rows.everyone(owner, party.id)):
        return await staff.reset(owner, SystemIds(), party.id)
    return await staff.add(owner, SystemIds(), party.id, party.id, f"{party.name} 店员（示例）")


def _read(path: Path) -> list[UpStaff]:
    return msgspec.json.decode(path.read_bytes(), type=list[UpStaff]) if path.exists() else []
