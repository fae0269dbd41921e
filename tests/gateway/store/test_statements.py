"""Every named statement fits the schema, and the commit's plan stays a handful of look-ups."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from gateway.committer import PLANNER
from gateway.store.migrate import Connection
from gateway.store.sql import nouns, queries, read_queries
from tests.engines import Database

STATEMENTS = [(noun, name) for noun in nouns() for name in read_queries(noun)]


@pytest.mark.parametrize(("noun", "name"), STATEMENTS)
async def test_a_statement_can_be_prepared(owner: Connection, noun: str, name: str) -> None:
    await owner.prepare(read_queries(noun)[name])


@pytest.mark.parametrize(("noun", "name"), STATEMENTS)
def test_a_statement_names_its_columns(noun: str, name: str) -> None:
    text = re.sub(r"--[^\n]*", "", read_queries(noun)[name])
    # A star over a list of names of its own (a CTE, a subquery) cannot grow behind our back.
    for source in re.findall(r"SELECT\s+\*\s+FROM\s+([a-z_]+)", text, re.IGNORECASE):
        assert source in {"holding", "unnest", "generate_series"}, f"SELECT * FROM {source}"


def test_a_file_without_names_or_with_one_twice_is_refused() -> None:
    with pytest.raises(FileNotFoundError):
        queries("nothing-here")


async def test_the_serving_role_cannot_write_a_standing_but_through_its_function(
    connection: Connection,
) -> None:
    for statement in (
        "INSERT INTO standing VALUES (gen_random_uuid(), 1, 1, '')",
        "UPDATE standing SET body = ''",
        "DELETE FROM standing",
        "INSERT INTO standing_change (citizen) VALUES (gen_random_uuid())",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


@pytest.mark.parametrize(
    "table",
    [
        *("decision", "decision_facts", "search", "search_facts", "search_undelivered"),
        *("consent", "commitment", "policy"),
    ],
)
async def test_the_serving_role_can_neither_alter_nor_forget_what_was_promised_or_answered(
    connection: Connection, table: str
) -> None:
    columns = {"decision_facts": "sealed", "search_facts": "sealed", "policy": "live"}
    column = (columns | {"search_undelivered": "search"}).get(table, "citizen")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(f"UPDATE {table} SET {column} = NULL")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(f"DELETE FROM {table}")


async def test_a_version_that_does_not_grow_is_an_error(connection: Connection) -> None:
    put = queries("standing").put
    citizen = "00000000-0000-0000-0000-000000000001"
    await connection.execute(put, [citizen], [5], [1], [b"body"], [None])
    for version in (5, 4):
        with pytest.raises(asyncpg.PostgresError, match="must grow"):
            await connection.execute(put, [citizen], [version], [2], [b"other"], [None])


async def _plan(connection: Connection, noun: str, columns: int) -> list[dict[str, Any]]:
    """The nodes of a commit statement's generic plan, as the committers' sessions get it."""
    for name, value in PLANNER.items():
        await connection.execute(f"SET {name} = {value}")
    statement = queries(noun).record
    await connection.execute(f"PREPARE commit_plan AS {statement}")
    empty = "'{}', " * columns
    rows = await connection.fetch(f"EXPLAIN (FORMAT json) EXECUTE commit_plan ({empty}60000000)")
    await connection.execute("DEALLOCATE commit_plan")
    return list(_nodes(json.loads(rows[0][0])[0]["Plan"]))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _look_ups(nodes: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {
        (node["Relation Name"], node["Node Type"])
        for node in nodes
        if "Relation Name" in node and node["Node Type"] != "ModifyTable"
    }


async def _fill(owner: Connection, standings: int) -> None:
    await owner.execute(
        "INSERT INTO standing SELECT gen_random_uuid(), n, n, sha256(n::text::bytea)"
        " FROM generate_series(1, $1::integer) AS n",
        standings,
        timeout=120,
    )
    await owner.execute("ANALYZE standing", timeout=120)


@pytest.mark.parametrize(("noun", "columns"), [("decision", 9), ("search", 22)])
@pytest.mark.parametrize(
    "standings", [0, 10_000, pytest.param(1_000_000, marks=pytest.mark.nightly)]
)
async def test_the_commit_looks_each_premise_up_by_its_key(
    fresh_database: Database, standings: int, noun: str, columns: int
) -> None:
    """The plan does not depend on statistics: it is asserted with none, some and a million."""
    owner = await asyncpg.connect(fresh_database.superuser_url)
    gateway = await asyncpg.connect(fresh_database.gateway_url)
    try:
        if standings:
            await _fill(owner, standings)
        nodes = await _plan(gateway, noun, columns)
    finally:
        await gateway.close(timeout=5)
        await owner.close(timeout=5)
    found = _look_ups(nodes)
    assert {"standing", "party", "policy", "issuer"} <= {name for name, _ in found}
    for table in ("standing", "party", "policy", "issuer", "decision_request"):
        assert {kind for name, kind in found if name == table} <= {
            "Index Scan",
            "Index Only Scan",
        }, (table, found)
    # A scan of an index without a condition would read the whole table.
    for node in nodes:
        if node["Node Type"] in ("Index Scan", "Index Only Scan"):
            assert "Index Cond" in node, node
    assert not {node["Node Type"] for node in nodes} & {"Hash Join", "Merge Join", "LockRows"}
