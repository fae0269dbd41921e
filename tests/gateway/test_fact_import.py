"""Importing facts: bad rows are named and change nothing, good rows are kept, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import asyncpg
import pytest

from gateway.fact_file import Row
from gateway.fact_import import FactImport, Report, identity_index
from gateway.identity_number import IdentityNumber
from gateway.local.people import person
from gateway.office import owner_database
from gateway.store import fact as fact_rows
from gateway.store.database import Connection, Database
from gateway.store.staff import Staff
from scoring import Rejected, Rule, load_catalogue
from tests import engines

TODAY = date(2026, 6, 15)
CATALOGUE = load_catalogue(TODAY)
KEY = b"k" * 32
PERSON, OTHER = person(1).id_number, person(2).id_number
MERITS = {key: entry.merit for key, entry in CATALOGUE.entries.items()}


def row(line: int = 2, number: str = PERSON, **changes: object) -> Row:
    """A good row, with `changes`."""
    cells: dict[str, object] = {
        "id_number": number,
        "department": "utilities",
        "code": "months_paid_on_time",
        "value": "18",
        "effective": "2026-01-01",
        "source": "示例-0001",
    }
    return Row(line, cells | changes)


async def bring_in(
    database: engines.Database, rows: Iterable[Row | Rejected], staff: Staff | None = None
) -> tuple[Report, list[Rejected]]:
    """Import rows as the command does."""
    refused: list[Rejected] = []
    owner = owner_database(database.owner_url)
    await owner.open()
    try:
        report = await FactImport(owner, CATALOGUE, KEY, staff).run(rows, refused.append)
    finally:
        await owner.close()
    return report, refused


async def stored(owner: Connection) -> list[tuple[object, ...]]:
    """Every fact on file, as plain values."""
    rows = await owner.fetch(
        "SELECT identity_index, code, source_ref, value, imported_at FROM fact ORDER BY 1, 2, 3"
    )
    return [tuple(row) for row in rows]


def counts(report: Report) -> Sequence[int]:
    """read, new, changed, unchanged, repeated, rejected."""
    return (
        report.read,
        report.new,
        report.changed,
        report.unchanged,
        report.repeated,
        report.rejected,
    )


async def test_a_fact_is_found_again_as_it_was_checked(
    database: engines.Database, owner: Connection
) -> None:
    rows = [row(), row(3, department="civil_affairs", code="honour", value="city")]
    await bring_in(database, rows)
    index = identity_index(KEY, IdentityNumber(PERSON))
    facts = (await fact_rows.load(owner, [index], MERITS))[index]
    found = {fact.code: (fact.value, fact.effective, fact.merit) for fact in facts}
    assert found == {
        "months_paid_on_time": (18, date(2026, 1, 1), None),
        "honour": ("city", date(2026, 1, 1), "honour"),
    }


async def test_a_second_import_changes_nothing(
    database: engines.Database, owner: Connection
) -> None:
    rows = [row(2), row(3, source="示例-0002"), row(4, number=OTHER)]
    first, _ = await bring_in(database, rows)
    before = await stored(owner)
    second, _ = await bring_in(database, rows)
    assert counts(first) == (3, 3, 0, 0, 0, 0)
    assert counts(second) == (3, 0, 0, 3, 0, 0)
    assert await stored(owner) == before  # not even the time of the import has moved


async def test_a_corrected_fact_replaces_the_one_of_the_same_record(
    database: engines.Database, owner: Connection
) -> None:
    await bring_in(database, [row(), row(3, source="示例-0002")])
    report, _ = await bring_in(database, [row(value="24"), row(3, source="示例-0002")])
    assert counts(report) == (2, 0, 1, 1, 0, 0)
    assert [fact[3] for fact in await stored(owner)] == ["24", "18"]


async def test_of_several_rows_about_one_record_the_last_counts(
    database: engines.Database, owner: Connection
) -> None:
    report, _ = await bring_in(database, [row(2, value="6"), row(3, value="12"), row(4)])
    assert counts(report) == (3, 1, 0, 0, 2, 0)
    assert [fact[3] for fact in await stored(owner)] == ["18"]


async def test_good_rows_are_kept_and_each_bad_one_is_named(
    database: engines.Database, owner: Connection
) -> None:
    bad: list[Row | Rejected] = [
        row(3, religion="x"),
        row(4, code="household_registration"),
        row(5, education="PhD"),
        row(6, number=PERSON[:17] + ("1" if PERSON[17] != "1" else "2")),
        row(7, number=""),
        row(8, value="x"),
        Rejected(9, "", "the line is not CSV in UTF-8", Rule.FORMAT),
    ]
    report, refused = await bring_in(database, [row(), *bad, row(10, source="b")])
    assert counts(report) == (9, 2, 0, 0, 0, 7)
    assert [refusal.line for refusal in refused] == list(range(3, 10))
    assert [refusal.rule for refusal in refused[:3]] == [
        Rule.ZJ_14_NEVER,
        Rule.UNRELATED,
        Rule.UNRELATED,
    ]
    assert len(await stored(owner)) == 2


async def test_a_refusal_never_repeats_a_value(database: engines.Database) -> None:
    secret = OTHER
    bad = [
        row(2, number=secret + "x"),
        row(3, value=secret),
        row(4, effective=secret),
        row(5, source="x" * 65 + secret),
        row(6, code=secret),
    ]
    _, refused = await bring_in(database, bad)
    assert len(refused) == 5
    assert secret not in str(refused)


async def test_the_number_itself_is_not_stored(
    database: engines.Database, owner: Connection
) -> None:
    number = next(person(n).id_number for n in range(1, 99) if person(n).id_number[-1] == "X")
    await bring_in(database, [row(number=f" {number.lower()} ")])
    text = await owner.fetchval("SELECT string_agg(fact::text, '') FROM fact")
    assert number[:17] not in text
    assert (await stored(owner))[0][0] == identity_index(KEY, IdentityNumber(number))


async def test_more_than_one_batch_is_imported(
    database: engines.Database, owner: Connection
) -> None:
    report, _ = await bring_in(database, (row(n, source=f"n-{n}") for n in range(2, 2302)))
    assert counts(report) == (2300, 2300, 0, 0, 0, 0)
    assert await owner.fetchval("SELECT count(*) FROM fact") == 2300


@pytest.mark.parametrize("again", [False, True])
async def test_a_citizen_sees_which_staff_changed_facts_and_why(
    database: engines.Database, owner: Connection, again: bool
) -> None:
    citizen = await owner.fetchval(
        "INSERT INTO citizen (id, identity_index, synthetic)"
        " VALUES (gen_random_uuid(), $1, true) RETURNING id",
        identity_index(KEY, IdentityNumber(PERSON)),
    )
    staff = Staff("示例-王", "department's correction")
    await bring_in(database, [row(), row(3, number=OTHER)], staff)
    if again:  # what changes nothing is no act
        await bring_in(database, [row()], staff)
    notes = await owner.fetch("SELECT staff, purpose, action, citizen FROM staff_access")
    assert [tuple(note) for note in notes] == [
        ("示例-王", "department's correction", "facts.import", citizen)
    ]


async def test_the_serving_role_cannot_write_a_fact(database: engines.Database) -> None:
    gateway = Database(database.gateway_url, pool_max=1, timeout_s=5)
    await gateway.open()
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await FactImport(gateway, CATALOGUE, KEY).run([row()], print)
    finally:
        await gateway.close()
