"""`qianjiang up`: a city that stays, for your own first requests; or several that are partners."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console

from gateway.cli import ended_by
from gateway.cli._fetched import ListForeign, ListUnreachable, fetched
from gateway.cli._files import FILE, small
from gateway.cli._greeting import greet
from gateway.cli._stages import stages
from gateway.local.atlas import HANGZHOU, LISTED, chosen_city
from gateway.local.company import Company, berths, region_berth
from gateway.local.pinned import Trust
from gateway.local.processes import stop_on_sigterm
from gateway.recognition.region import RegionRefused, parse_region

PORT = 8700


@click.command()
@click.option(
    "--port",
    envvar="QIANJIANG_PORT",
    show_envvar=True,
    default=PORT,
    show_default=True,
    type=click.IntRange(0, 65533),
    help="The gateway's port; identity provider and metrics take the next two. 0 = any free ones.",
)
@click.option(
    "--workers",
    envvar="QIANJIANG_WORKERS",
    show_envvar=True,
    default=2,
    show_default=True,
    type=click.IntRange(1),
    help="Gateway processes of each city.",
)
@click.option(
    "--citizens",
    default=10_000,
    show_default=True,
    type=click.IntRange(0),
    help="Generated citizens of each city.",
)
@click.option(
    "--city",
    default=HANGZHOU.code,
    show_default=True,
    help=f"Which city, by its GB/T 2260 code: {LISTED}; or CODE=NAME for another one. Each has "
    "addresses of its own.",
)
@click.option(
    "--cities",
    help="Several instead, by comma: 330100,330200. They recognise each other, and a region with "
    "their trust list is brought up beside them.",
)
@click.option("--region", help="With --city: the trust list of a region that runs already.")
@click.option(
    "--region-keys",
    type=FILE,
    help="And the file that `qianjiang region key` printed.",
)
def command(
    port: int,
    workers: int,
    citizens: int,
    city: str,
    cities: str | None,
    region: str | None,
    region_keys: Path | None,
) -> None:
    """Bring a seeded city up and keep it until Ctrl-C. NOT FOR PRODUCTION."""
    stop_on_sigterm()
    if (region is None) is not (region_keys is None) or None not in (region, cities):
        raise click.ClickException("--region and --region-keys belong together, and to --city")
    chosen = [chosen_city(each) for each in ([city] if cities is None else cities.split(","))]
    if len({each.code for each in chosen}) != len(chosen):
        raise click.ClickException("--cities names a city twice")
    trust = None
    if region is not None and region_keys is not None:
        trust = _trust(region, region_keys.resolve())
    console = Console()
    with ExitStack() as stack:
        with stages(console) as tell:
            company = Company(
                berths(chosen, port),
                workers=workers,
                trust=trust,
                region_port=0 if cities is None else region_berth(port),
                tell=tell,
            )
            stack.enter_context(company)
        try:
            _run(company, citizens, console)
        except KeyboardInterrupt as interrupt:
            console.print(f"{ended_by(interrupt)}; stopping")


def _trust(url: str, keys: Path) -> Trust:
    """The region that runs already, once its list was seen to be signed by a key of the file: a
    city with another region's keys would come up, and never recognise anybody.

    Raises:
        ClickException: there is no list to rely on; the message says what to do.
    """
    if url and "://" not in url:
        raise click.ClickException(
            f"--region {url}: http:// is missing; `qianjiang region url` prints its list's address"
        )
    try:
        fetched(url, parse_region(small(keys)), loopback=True)
    except RegionRefused as fault:
        raise click.ClickException(
            f"--region-keys {keys}: {fault}; `qianjiang region key` prints such a file"
        ) from None
    except ListForeign as fault:
        raise click.ClickException(f"--region-keys {keys}: {fault}") from None
    except ListUnreachable as fault:
        raise click.ClickException(
            f"--region {fault}. Is the region up (`make cities`, or `qianjiang region serve`)? "
            "`qianjiang region url` prints its list's address"
        ) from None
    return Trust(url, keys)


def _run(company: Company, citizens: int, console: Console) -> None:
    with stages(console) as tell:
        made = company.start(citizens, tell)
    greet(console, list(zip(company.cities, made, strict=True)), company.trust)
    ended = company.watch()
    raise click.ClickException(f"{ended.name} ended:\n{ended.tail()}")
