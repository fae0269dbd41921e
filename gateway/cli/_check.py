"""`qianjiang cities check`: a city looked at from outside, by whatever it runs."""

from __future__ import annotations

from collections import Counter

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.cli._place import Place
from gateway.cli._tables import visible
from gateway.conformance.asking import Asker
from gateway.conformance.look import Place as Standpoint
from gateway.conformance.look import look
from gateway.conformance.report import UNMET, Finding, Result
from gateway.recognition.entry import is_origin

_COLOURS = {Result.PASS: "green", Result.FAIL: "bold red", Result.SKIPPED: "dim"}


class Checked(msgspec.Struct, frozen=True):
    """The whole, as `--json` prints it."""

    url: str
    asked_as: str | None
    passed: int
    failed: int
    skipped: int
    checks: list[Finding]


@click.command()
@click.argument("url")
@click.option(
    "--status-list", help="The address of one of its status lists. [default: URL/status-lists/1]"
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_obj
def check(place: Place, url: str, status_list: str | None, as_json: bool) -> None:
    """Check the city at URL, its issuer, against the protocol: exit code 1 where it fails.

    The region's list is fetched anew, so no database is needed. With this city's key file it also
    asks as a partner does; what it pushes is opened by nobody.
    """
    issuer = _issuer(url, loopback=place.allow_loopback_http)
    asker = _asker(place)
    standpoint = Standpoint(
        list_url=place.need("list_url"),
        region=place.region(),
        asker=asker,
        loopback=place.allow_loopback_http,
    )
    found = look(issuer, standpoint, status_list)
    counts = Counter(each.result for each in found)
    if as_json:
        checked = Checked(
            issuer,
            asker.code if asker else None,
            counts[Result.PASS],
            counts[Result.FAIL],
            counts[Result.SKIPPED],
            found,
        )
        click.echo(msgspec.json.format(msgspec.json.encode(checked)).decode())
    else:
        _tell(found, counts)
    if counts[Result.FAIL]:
        raise SystemExit(1)


def _issuer(url: str, *, loopback: bool) -> str:
    issuer = url.rstrip("/")
    if not is_origin(issuer):
        raise click.ClickException(
            f"{url}: the city's issuer is wanted, an origin in small letters and without a path, "
            "such as https://city.example"
        )
    if issuer.startswith("http:") and not loopback:
        raise click.ClickException(
            f"{url}: http is for cities of one machine: set QIANJIANG_ALLOW_LOOPBACK_HTTP=true, or "
            '`eval "$(qianjiang operator)"` sets all that is needed. Elsewhere a city has https'
        )
    return issuer


def _asker(place: Place) -> Asker | None:
    """Who asks: this city, where it is said which one it is and where its keys are."""
    if place.keys_file is None or place.city is None:
        return None
    keys = place.keyring().city_client
    if not keys:
        return None
    kid, key = list(keys.items())[-1]
    return Asker(place.city, kid, key)


def _tell(found: list[Finding], counts: Counter[Result]) -> None:
    table = Table(box=None)
    for name in ("check", "result", "section"):
        table.add_column(name, no_wrap=True)
    table.add_column("found", overflow="fold")
    before = ""
    unmet = sum(each.why == UNMET for each in found)
    for each in found:
        if each.why == UNMET:
            continue
        why = visible(each.why)
        words = why or each.law
        if each.remedy:
            words = f"{each.law}: {why}\n→ {each.remedy}"
        elif each.result is Result.SKIPPED and words == before:
            words = "the same"
        else:
            before = words
        colour = _COLOURS[each.result]
        table.add_row(each.name, f"[{colour}]{each.result}[/]", each.section, escape(words))
    Console().print(table)
    if unmet:
        click.echo(f"{unmet} checks need what was not found above, and were not made")
    click.echo(", ".join(f"{counts[result]} {result}" for result in Result))
