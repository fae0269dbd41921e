"""Doing something as the database's owner, for the commands of operators."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from gateway.store import migrate

T = TypeVar("T")

#: Where the database is; hands `owner_url` to the group.
owner_option = click.option(
    "--owner-url",
    envvar="QIANJIANG_OWNER_URL",
    show_envvar=True,
    help="The database as its owner role, postgresql://…",
)


def run(owner_url: str | None, act: Callable[[migrate.Connection], Awaitable[T]]) -> T:
    """Do something with a connection of the owner's."""
    if owner_url is None:
        raise click.ClickException(
            "set QIANJIANG_OWNER_URL to the database's address as role qianjiang_owner"
        )

    async def connected(url: str) -> T:
        async with migrate.connected(url) as owner:
            return await act(owner)

    return asyncio.run(connected(owner_url))
