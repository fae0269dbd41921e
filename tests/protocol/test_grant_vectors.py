"""Grants: this gateway accepts and refuses as the vectors say.

Each case is a whole acceptance: the region's list is signed and kept, the attempt is a row, the
proof is made, and PostgreSQL decides. What was accepted before was accepted before in the same way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.clock import SECOND_US, FixedClock
from gateway.jose import Reason
from gateway.local.valkey import Valkey
from gateway.oauth.clients import Denied
from gateway.proofs import Proofs
from gateway.recognition.acceptance import Acceptance, Accepted
from gateway.recognition.presentation import Presented
from gateway.recognition.status_fetch import Seen
from gateway.recognition.trust import Trust
from gateway.recognition.visiting import Visiting
from gateway.sessions import hash_of
from gateway.store import visit as visit_rows
from gateway.store import visit_attempt as attempts
from gateway.store.database import Connection
from gateway.store.migrate import Connection as Owner
from gateway.store.visit_attempt import NewAttempt
from scenarios.schemes import Scheme
from tests.engines import Database
from tests.gateway.city import TestCity, open_test_city
from tests.protocol.making import agreements, grant, proofs, trust_lists
from tests.protocol.making.world import (
    ISSUERS,
    KEYS,
    LIST,
    REGION,
    SCHEME_NAME,
    A,
    B,
    key,
    uid,
)
from tests.protocol.vectors import Case, cases

Given = dict[str, Any]

CASES = cases("grants.json")
_BY_THUMBPRINT = {pair.thumbprint: pair for pair in KEYS.values()}
#: The reasons that the guard gives, which do not depend on any order of checks.
_OF_FORM = {reason.value for reason in Reason} - {"issuer", "key", "binding"}


@pytest.fixture
async def town(
    database: Database, valkey: Valkey, owner: Owner, tmp_path: Path
) -> AsyncIterator[TestCity]:
    pinned = tmp_path / "region.json"
    pinned.write_bytes(msgspec.json.encode({"iss": REGION, "keys": [KEYS["region"].jwk]}))
    await owner.execute(
        "INSERT INTO recognition_scheme (id, version, valid_from, text, sha256)"
        " VALUES ($1, $2, '2026-01-01', '', sha256(''))",
        *SCHEME_NAME.values(),
    )
    given: Given = {
        "city": B,
        "issuer": ISSUERS[B],
        "oidc_issuer": "https://identity.ningbo.example",
        "allow_loopback_http": False,
        "trust_list_url": LIST,
        "trust_list_keys": str(pinned),
    }
    async with open_test_city(database.gateway_url, owner, valkey.url, tmp_path, **given) as made:
        yield made


class Told:
    """What a case says of schemes and status lists."""

    def __init__(self, given: Given) -> None:
        self.given = given

    def get(self, scheme: str, version: int) -> Scheme | None:
        if self.given["scheme"] is None:
            return None
        held = msgspec.json.decode(msgspec.json.encode(self.given["scheme"]), type=Scheme)
        return held if (held.id, held.version) == (scheme, version) else None

    async def valid(self, issuer: str, uri: str, idx: int) -> bool | None:
        said, now_us = self.given["status"], self.given["now"] * SECOND_US
        if said is None or said["uri"] != uri:
            return None
        issued_us, began_us = said["iat"] * SECOND_US, said["fetch_began"] * SECOND_US
        seen = Seen(b"", issued_us, issued_us + 60 * SECOND_US, began_us)
        if seen.until_us <= now_us:
            return None
        return idx < said["entries"] and idx not in said["ones"]

    async def bound_within(self, connection: Connection, issuer: str, uri: str) -> None:
        """Decisions are not asked here."""


async def acceptance_of(town: TestCity, given: Given, told: Told) -> Acceptance:
    """The acceptance of a worker that knows what a case gives, and is told the rest."""
    city, clock = town.city, FixedClock(given["now"] * SECOND_US)
    await publish(town.owner, given)
    trust = Trust(city.settings, city.database, clock)
    await trust.refresh()
    proven = Proofs(
        city.keys.link, clock, city.database, city.forgeries, batch_max=8, waiting_max=8
    )
    visiting = Visiting(
        city.settings,
        city.keys,
        database=city.database,
        writer=city.writer,
        vault=city.vault,
        proofs=proven,
        sessions=city.sessions,
        trust=trust,
        schemes=told,
        statuses=told,
        refusals=city.refusals,
        clock=clock,
        ids=city.ids,
    )
    return visiting.acceptance


async def publish(owner: Owner, given: Given) -> None:
    """The region's list says what a case gives, until it says."""
    until = given["trust_until"]
    signed = [
        {"id": name, "statements": _statements(each, name)}
        for n, each in enumerate(given["agreements"])
        if (name := f"agreement-{n}")
    ]
    token = trust_lists.document(
        KEYS["region"],
        iat=until - 60,
        exp=until,
        cities=given["cities"],
        agreements=signed,
    )
    await owner.execute("TRUNCATE trust_list, visit, visit_token, visitor, visit_attempt")
    await owner.execute(
        "INSERT INTO trust_list (serial, content, token, issued_at, expires_at)"
        " VALUES (1, sha256($1::text::bytea), $1, to_timestamp($2), to_timestamp($3))",
        *(token, float(until - 60), float(until)),
    )


def _statements(agreed: Given, name: str) -> list[str]:
    terms = {"agreement": name, **agreed}
    return [agreements.statement(code, n, **terms) for code in agreed["cities"] for n in (1, 2)]


async def present(town: TestCity, acceptance: Acceptance, given: Given) -> Accepted | Denied:
    """Show a grant as a case says that it is shown."""
    attempt, jkt = given["attempt"], given["proof_jkt"]
    if attempt is not None:
        await _attempt(town, attempt)
    headers = []
    if jkt is not None:
        made = proofs.proof(_BY_THUMBPRINT[jkt], iat=given["now"], jti=town.city.ids.token())
        headers = [(b"dpop", made.encode())]
    shown = Presented(given["client"] or "", given["browser"], headers, given["assertion"])
    return await acceptance.accept(shown)


async def _attempt(town: TestCity, attempt: Given) -> None:
    name = hash_of(attempt["browser"])
    new = NewAttempt(name, attempt["home"], tuple(attempt["scenarios"]), attempt["jkt"], name, b"")
    async with town.city.database.connection() as connection:
        await visit_rows.know_issuer(connection, attempt["home"])
        await attempts.begin(connection, new, 600)
        if attempt["returned"]:
            await attempts.returned(connection, name)
        if attempt["presented"]:
            await attempts.claim(connection, name)


def before(given: Given) -> list[Given]:
    """What was presented before, and accepted."""
    codes = {issuer: code for code, issuer in ISSUERS.items()}
    former = [(codes[iss], {"jti": jti, "sub": "somebody-else"}) for iss, jti in given["accepted"]]
    if given["last_iat"] is not None:
        times = {"iat": given["last_iat"], "exp": given["last_iat"] + 60}
        former.append((A, {"jti": uid("the last one"), **times}))
    return [_former(given, n, code, changes) for n, (code, changes) in enumerate(former)]


def _former(given: Given, n: int, code: str, changes: Given) -> Given:
    uri = f"{ISSUERS[code]}/status-lists/1"
    claims = {"iss": ISSUERS[code], "status": grant.status(uri), **changes}
    browser = f"an earlier browser {n}"
    return given | {
        "assertion": grant.grant(key(code, "grant"), **claims),
        "browser": browser,
        "attempt": given["attempt"] | {"home": code, "browser": browser},
        "status": given["status"] | {"uri": uri},
    }


async def verdict(town: TestCity, given: Given) -> Given | str:
    told = Told(given)
    acceptance = await acceptance_of(town, given, told)
    for former in before(given):
        told.given = former
        assert isinstance(await present(town, acceptance, former), Accepted)
    told.given = given
    answer = await present(town, acceptance, given)
    if isinstance(answer, Denied):
        return answer.reason
    row = await town.owner.fetchrow(
        "SELECT i.code, tier, band, scenarios, limit_fen FROM visit JOIN issuer AS i"
        " ON i.num = visit.issuer JOIN visit_token AS t ON t.visit = visit.id"
        " ORDER BY t.expires_at DESC LIMIT 1"
    )
    assert row is not None
    code, tier, band, scenarios, limit = row
    limits = {"rent": limit} if "rent" in scenarios else {}
    return {"home": code, "tier": tier, "band": band, "scenarios": scenarios, "limits": limits}


def differs(case: Case, found: Given | str) -> bool:
    """Whether a verdict is another than the vector's. The verdict is normative; of reasons only
    those of form are the same whatever is looked at first."""
    if case.reason is None or isinstance(found, dict):
        return found != case.expect.get("accept")
    said = bool(case.given["assertion"])  # nothing at all is not looked at as a document
    return said and case.reason in _OF_FORM and found != case.reason


async def test_a_grant_is_judged_as_the_vectors_say(town: TestCity) -> None:
    found = {case.id: await verdict(town, case.given) for case in CASES}
    wrong = {case.id: found[case.id] for case in CASES if differs(case, found[case.id])}
    assert wrong == {}
