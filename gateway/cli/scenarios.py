"""`qianjiang scenarios`: check a manifest, list what is packaged, put it into the live set."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from gateway.publication import publish
from gateway.store import migrate
from gateway.working_days import calendar
from scenarios.registry import check, load_registry

_MANIFEST = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Scenarios as data: check, list, publish."""


@command.command("check")
@click.argument("files", nargs=-1, required=True, type=_MANIFEST)
def check_files(files: tuple[Path, ...]) -> None:
    """Check manifests: every fault with file, line, field and remedy."""
    faults = [problem for file in files for problem in check(file)]
    for problem in faults:
        click.echo(str(problem))
    if faults:
        raise click.ClickException(f"{len(faults)} fault{'s' * (len(faults) > 1)}")
    click.echo(f"{len(files)} manifest{'s' * (len(files) > 1)}, no fault")


@command.command("list")
def list_packaged() -> None:
    """The packaged scenarios with version and policy revision."""
    registry = load_registry(calendar())
    for name in registry:
        scenario = registry[name]
        title = scenario.manifest.title.zh
        click.echo(
            f"{name:12} {scenario.manifest.version:8} {scenario.revision.hex()[:16]}  {title}"
        )


@command.command("publish")
@click.option("--owner-url", envvar="QIANJIANG_OWNER_URL", show_envvar=True, required=True)
@click.option("--city", envvar="QIANJIANG_CITY", show_envvar=True, required=True)
@click.option("--keep-old", is_flag=True, help="Former revisions answer too: for a rolling change.")
def publish_packaged(owner_url: str, city: str, keep_old: bool) -> None:
    """Make the packaged revisions live; workers answer by nothing else."""
    fresh = asyncio.run(_publish(owner_url, city, keep_old))
    click.echo(f"live: {', '.join(fresh)} (new)" if fresh else "nothing new; all were live")


async def _publish(owner_url: str, city: str, keep_old: bool) -> list[str]:
    async with migrate.connected(owner_url) as owner:
        return await publish(owner, load_registry(calendar()), city, keep_old=keep_old)
