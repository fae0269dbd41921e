"""A look for all who watch costs so many descents of an index for each, whatever the tables hold;
and a commit knows nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import grimp
import pytest

from gateway.store.migrate import Connection
from gateway.store.sql import nouns, queries, read_queries
from tests.engines import Database

ROWS = 20_000

#: Rows enough for a planner to prefer one scan of a whole table, if the statement let it.
FILL = (
    "INSERT INTO party (id, entity, kind, name) VALUES ('party', 'e', 'merchant', 'p')",
    "INSERT INTO decision SELECT uuidv7(), 0, 0, 1, 1, 1, gen_random_uuid(), 1, NULL, NULL, 1, 0,"
    " 0, 1, 1, NULL, ''::bytea, NULL, NULL, NULL, ''::bytea FROM generate_series(1, $1::integer)",
    "INSERT INTO search SELECT uuidv7(), 0, 0, 1, 1, 1, gen_random_uuid(), 1, '{}', '{}', '{}',"
    " '{}', 0, 1, 1, NULL, '', NULL, NULL, '' FROM generate_series(1, $1::integer)",
    "INSERT INTO staff_access SELECT uuidv7(), now(), 's', 'p', 'a', gen_random_uuid()"
    " FROM generate_series(1, $1::integer)",
    "INSERT INTO assisted_act (id, citizen, party, staff, staff_name, place, scenario, purpose,"
    " act, document) SELECT uuidv7(), gen_random_uuid(), 1, gen_random_uuid(), 's', 'p', 'rent',"
    " 'p', 'found', 'd' FROM generate_series(1, $1::integer)",
    "INSERT INTO consent_request (id, party, recipient, scenario, purpose, out_request_no,"
    " body_hash, status, citizen, expires_at) SELECT uuidv7(), 1, 'e', 's', 'p', n::text, '',"
    " CASE WHEN n % 10 = 0 THEN 'pending' ELSE 'granted' END, gen_random_uuid(), now()"
    " FROM generate_series(1, $1::integer) AS n",
    "INSERT INTO standing SELECT gen_random_uuid(), n, n, '' FROM generate_series(1, $1::integer)"
    " AS n",
    "INSERT INTO citizen (id, wrapped_key, synthetic) SELECT gen_random_uuid(), '', true"
    " FROM generate_series(1, $1::integer)",
    "INSERT INTO session (id_hash, citizen, expires_at) SELECT sha256(id::text::bytea), id, now()"
    " FROM citizen LIMIT $1",
    "INSERT INTO consent (id, version, citizen, recipient, scenario, purpose, fields,"
    " text_version, text_sha256, from_at, to_at, status) SELECT gen_random_uuid(), 1,"
    " gen_random_uuid(), 'e', 's', 'p', '{}', '1', sha256('t'), now(), now() + interval '1 day',"
    " 'active' FROM generate_series(1, $1::integer)",
)


@pytest.fixture
async def filled(fresh_database: Database) -> Database:
    superuser = await asyncpg.connect(fresh_database.superuser_url)
    try:
        await superuser.execute("SET session_replication_role = replica")
        for statement in FILL:
            await superuser.execute(statement, *([ROWS] if "$1" in statement else []), timeout=60)
        await superuser.execute("ANALYZE", timeout=60)
    finally:
        await superuser.close(timeout=5)
    return fresh_database


async def plan(connection: Connection, name: str, arguments: str) -> list[dict[str, Any]]:
    """The nodes of a statement's generic plan, as a session keeps it."""
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE look AS {queries('watch').__dict__[name]}")
    rows = await connection.fetch(f"EXPLAIN (FORMAT json) EXECUTE look ({arguments})")
    await connection.execute("DEALLOCATE look")
    return list(nodes(json.loads(rows[0][0])[0]["Plan"]))


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


LOOKS = {
    "news": (
        "array_fill(gen_random_uuid(), ARRAY[200]), array_fill(''::bytea, ARRAY[200]),"
        " uuid7_floor(now() - interval '20 s'), uuid7_floor(now() + interval '60 s'), 0, 100"
    ),
    "consent_changes": "array_fill(gen_random_uuid(), ARRAY[200])",
    "questions": "'{}', uuid7_floor(now()), uuid7_floor(now())",
    "searches": "'{}', uuid7_floor(now()), uuid7_floor(now())",
    "staff": "'{}'",
    "assisted": "'{}'",
}

#: What each of them reads, besides tables of a few rows.
READS = {
    "news": {
        *("decision", "search", "staff_access", "consent_request", "standing", "session"),
        *("citizen", "assisted_act"),
    },
    "consent_changes": {"consent"},
    "questions": {"decision"},
    "searches": {"search"},
    "staff": {"staff_access"},
    "assisted": {"assisted_act"},
}
SMALL = {"policy", "party", "decision_undelivered", "search_undelivered"}


async def test_a_look_descends_indexes_and_those_of_the_present_month_alone(
    filled: Database,
) -> None:
    gateway = await asyncpg.connect(filled.gateway_url)
    try:
        plans = {name: await plan(gateway, name, given) for name, given in LOOKS.items()}
    finally:
        await gateway.close(timeout=5)
    for name, found in plans.items():
        reading = [node for node in found if node.get("Relation Name", "party") not in SMALL]
        tables = {node["Relation Name"] for node in reading}
        assert {re_named(table) for table in tables} == READS[name]
        for node in reading:
            assert node["Node Type"] in ("Index Scan", "Index Only Scan"), (name, node)
            assert "Index Cond" in node, (name, node)
        # Two where the twenty seconds or the minute ahead lie across the turn of a month.
        assert len(tables) <= len(READS[name]) + 2, (name, "the other months are pruned")


def re_named(table: str) -> str:
    """The table of a partition."""
    return table.rstrip("0123456789").rstrip("_") if table[-1].isdigit() else table


async def test_a_commit_tells_nobody_and_fires_nothing(owner: Connection) -> None:
    """NOTIFY inside a commit would take a lock of the whole database until it is durable."""
    for noun in nouns():
        for name, text in read_queries(noun).items():
            assert "NOTIFY" not in text.upper(), (noun, name)
    fired = await owner.fetch(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN"
        " (SELECT relid FROM pg_partition_tree('decision') UNION"
        "  SELECT relid FROM pg_partition_tree('search') UNION"
        "  SELECT relid FROM pg_partition_tree('decision_facts'))"
    )
    assert fired == []


def test_nothing_on_the_way_of_a_decision_knows_of_those_who_watch() -> None:
    graph = grimp.build_graph("gateway", cache_dir=None)
    for way in ("decision", "proposer", "committer", "search", "search_committer", "batching"):
        known = graph.find_upstream_modules(f"gateway.{way}")
        assert not {each for each in known if "watch" in each}, way
