"""What runs with the owner's rights believes nothing that the role of requests put in its way."""

import asyncpg
import pytest

from gateway.store.migrate import Connection

_DEFINERS = """
SELECT p.oid::regprocedure::text AS name, p.proconfig AS settings FROM pg_proc AS p
 WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
"""


async def test_a_function_of_the_owner_never_reads_a_caller_s_own_tables(owner: Connection) -> None:
    # Unless it is named last, the caller's temporary schema is searched for tables before all.
    for function in await owner.fetch(_DEFINERS):
        assert "search_path=pg_catalog, public, pg_temp" in (function["settings"] or []), function


async def test_the_role_of_requests_gains_no_rights_by_tables_of_its_own(
    connection: Connection,
) -> None:
    # A trigger runs as whoever inserts: inside such a function that would be the owner.
    await connection.execute(
        "CREATE TEMP TABLE standing (LIKE public.standing INCLUDING ALL);"
        "GRANT ALL ON standing TO qianjiang_owner;"
        "CREATE FUNCTION pg_temp.taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        "  UPDATE public.party SET status = 'active'; RETURN new; END $$;"
        "CREATE TRIGGER taken BEFORE INSERT ON standing"
        "  FOR EACH ROW EXECUTE FUNCTION pg_temp.taken();"
    )
    await connection.execute(
        "SELECT standing_put(ARRAY[gen_random_uuid()], ARRAY[1::bigint], ARRAY[1::bigint],"
        " ARRAY['x'::bytea], ARRAY[NULL::smallint])"
    )
    assert await connection.fetchval("SELECT count(*) FROM pg_temp.standing") == 0
    assert await connection.fetchval("SELECT count(*) FROM public.standing") == 1


async def test_a_score_is_written_under_the_citizen_s_own_authorisation_only(
    connection: Connection,
) -> None:
    await connection.execute(
        "CREATE TEMP TABLE score_authorisation (LIKE public.score_authorisation INCLUDING ALL);"
        "CREATE TEMP TABLE citizen (LIKE public.citizen INCLUDING ALL);"
        "GRANT ALL ON score_authorisation, citizen TO qianjiang_owner;"
        "INSERT INTO citizen (id, synthetic) VALUES ('00000000-0000-0000-0000-000000000001', true);"
        "INSERT INTO score_authorisation (citizen, version, status, notice, text_sha256)"
        " VALUES ('00000000-0000-0000-0000-000000000001', 1, 'given', '1', sha256('x'));"
    )
    written = await connection.fetch(
        "SELECT score_put(1, ARRAY['00000000-0000-0000-0000-000000000001'::uuid], ARRAY[1],"
        " ARRAY[900::smallint], ARRAY[5::smallint], ARRAY['x'::bytea])"
    )
    assert written == []


async def test_the_role_of_requests_cannot_make_tables_that_last(connection: Connection) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("CREATE TABLE public.mine (n int)")
