"""Rows of a running city arranged by its owner: what no request of anybody's could bring about."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg

from tests.browser.site import Site


def arrange(site: Site, statement: str, *values: Any) -> list[asyncpg.Record]:
    """Run one statement as the owner and return its rows."""

    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(site.owner_url)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    # The browser's own event loop is running in this thread.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()
