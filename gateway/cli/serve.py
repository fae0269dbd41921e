"""`qianjiang serve`: the production server, from settings in the environment."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import asyncpg
import click

from gateway import preflight, server
from gateway.clock import SystemClock
from gateway.keys import KeyFileError, load_keys
from gateway.recognition.region import load_region
from gateway.settings import Settings, SettingsError, read_settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8700, show_default=True, help="Port to listen on.")
@click.option("--workers", default=2, show_default=True, help="Worker processes.")
def command(host: str, port: int, workers: int) -> None:
    """Check everything the promises rest on, then answer. Settings: QIANJIANG_*."""
    environment = {"QIANJIANG_WORKERS": str(workers)} | os.environ
    try:
        settings = read_settings(environment)
        load_keys(settings.keys_file)
        if settings.trust_list_keys:
            load_region(Path(settings.trust_list_keys))
    except (SettingsError, KeyFileError) as fault:
        raise click.ClickException(str(fault)) from None
    if settings.allow_loopback_http:
        raise click.ClickException(
            "QIANJIANG_ALLOW_LOOPBACK_HTTP is for the demo and tests; unset it to serve"
        )
    if settings.workers < workers:
        raise click.ClickException(
            "QIANJIANG_WORKERS counts the workers of all machines, so it is at least --workers"
        )
    asyncio.run(_check(settings))
    line = server.command(host, port, workers)
    # Becoming the server keeps signals and exit code its own.
    os.execve(line[0], line, environment)  # noqa: S606  no shell is wanted


async def _check(settings: Settings) -> None:
    try:
        connection = await asyncpg.connect(settings.database_url, timeout=10)
    except (OSError, asyncpg.PostgresError) as fault:
        raise click.ClickException(
            f"QIANJIANG_DATABASE_URL: the database cannot be reached ({type(fault).__name__})"
        ) from None
    try:
        await preflight.check(connection, SystemClock())
    finally:
        await connection.close(timeout=5)
