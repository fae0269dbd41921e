"""Doing something as the database's owner, for the commands of operators."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import click

from gateway.errors import DependencyDown
from gateway.store import migrate

T = TypeVar("T")

_UP: Final = "Is the city up? On one machine: `make up`, or `make cities`"

#: The option of a group of such commands.
owner_option = click.option(
    "--owner-url",
    envvar="QIANJIANG_OWNER_URL",
    show_envvar=True,
    help="The database as its owner role, postgresql://…",
)


def as_owner(owner_url: str | None, act: Callable[[migrate.Connection], Awaitable[T]]) -> T:
    """Do something as the database's owner.

    Raises:
        ClickException: it was not said where the database is.
        DependencyDown: it is not there; the message says where it was looked for.
    """
    if owner_url is None:
        raise click.ClickException(
            "set QIANJIANG_OWNER_URL to the database's address as role qianjiang_owner"
        )

    async def connected(url: str) -> T:
        async with migrate.connected(url) as owner:
            return await act(owner)

    try:
        return asyncio.run(connected(owner_url))
    except DependencyDown as down:
        raise DependencyDown(f"{down}. {_UP}") from None
