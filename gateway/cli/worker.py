"""`qianjiang worker`: the background jobs of a city, one process beside the servers."""

from __future__ import annotations

import asyncio
import os
import signal

import click

from gateway import logs
from gateway.app import open_city
from gateway.jobs import run_jobs
from gateway.settings import Settings, SettingsError, read_settings


@click.command()
def command() -> None:
    """Relay to the cache, send webhooks, expire, purge and watch for probing, until SIGTERM."""
    try:
        settings = read_settings(os.environ)
    except SettingsError as fault:
        raise click.ClickException(str(fault)) from None
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    logs.configure()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    city = open_city(settings)
    async with city.running():
        await run_jobs(city, stop)
