"""`qianjiang migrate`: bring the database up to this version's schema."""

import asyncio

import click

from gateway.store import migrate


@click.command()
@click.option(
    "--owner-url",
    envvar="QIANJIANG_OWNER_URL",
    show_envvar=True,
    help="The database as its owner role, postgresql://…",
)
@click.option("--check", is_flag=True, help="Only say what is pending; exit 1 if anything is.")
@click.option(
    "--restored",
    is_flag=True,
    help="The database comes from a backup: give it a new generation, so that nothing cached "
    "from its other history is ever taken for current.",
)
def command(owner_url: str | None, check: bool, restored: bool) -> None:
    """Apply the pending migrations to the city's database, and make the months ahead.

    Answers are kept by month; each run makes the partitions of the next fourteen where they are
    missing, so one run a quarter, or each upgrade, is enough.
    """
    if owner_url is None:
        raise click.ClickException(
            "set QIANJIANG_OWNER_URL to the database's address as role qianjiang_owner"
        )
    asyncio.run(_run(owner_url, check, restored))


async def _run(url: str, check: bool, restored: bool) -> None:
    async with migrate.connected(url) as connection:
        if check:
            await _check(connection)
        else:
            await _apply(connection, restored)
        click.echo(f"schema is at version {await migrate.current(connection)}")


async def _apply(connection: migrate.Connection, restored: bool) -> None:
    await migrate.migrate(connection, on_applied=lambda done: click.echo(f"applied {done.file}"))
    made, without = await migrate.make_months(connection)
    if made:
        click.echo(f"tables made for the months ahead: {made}")
    if without:
        click.echo(f"months whose answers stay in the default partition: {len(without)}")
    if restored:
        await migrate.renew_generation(connection)
        click.echo("new generation; entries cached before are void")


async def _check(connection: migrate.Connection) -> None:
    todo = await migrate.pending(connection)
    for migration in todo:
        click.echo(f"pending {migration.file}")
    if todo:
        raise click.ClickException("the schema is behind; run `qianjiang migrate`")
