"""`qianjiang seed`: people a demonstration city with invented parties and synthetic citizens."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from gateway.keys import KeyFileError
from gateway.local.populate import Population, populate
from gateway.local.seeds import seeds_of
from gateway.settings import Settings, SettingsError, read_settings


@click.command()
@click.option("--citizens", default=10_000, show_default=True, help="Generated citizens.")
@click.option(
    "--owner-url",
    envvar="QIANJIANG_OWNER_URL",
    show_envvar=True,
    required=True,
    help="The database as its owner role, postgresql://…",
)
@click.option(
    "--folder",
    default=Path(),
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Where the parties' throw-away keys and the file of subjects are written.",
)
def command(citizens: int, owner_url: str, folder: Path) -> None:
    """People a migrated city whose scenarios are published. Settings: QIANJIANG_*.

    For demonstrations only: it refuses a city whose identity provider is for real people. What is
    there already stays as it is, so the command may be repeated or taken up again.
    """
    try:
        settings = read_settings(os.environ)
        if not settings.oidc_synthetic:
            raise click.ClickException(
                "seeding is for demonstrations; QIANJIANG_OIDC_SYNTHETIC says this city is none"
            )
        made = asyncio.run(_seed(owner_url, settings, folder, citizens))
    except (SettingsError, KeyFileError) as fault:
        raise click.ClickException(str(fault)) from None
    click.echo(
        f"{len(made.parties)} parties, {len(made.personas)} personas, {citizens} generated "
        f"citizens; subjects in {made.subjects_file}"
    )


async def _seed(owner_url: str, settings: Settings, folder: Path, citizens: int) -> Population:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        total = citizens + len(seeds_of(settings.city).personas)
        task = progress.add_task("seeding", total=total)
        return await populate(
            owner_url, settings, folder, citizens, lambda done: progress.advance(task, done)
        )
