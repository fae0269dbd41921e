"""What `qianjiang up` says when everything answers: where it is, and the next commands."""

from __future__ import annotations

import os
import sys

import click
from rich.console import Console

from gateway.cli.assertion import assertion
from gateway.edge import scrape
from gateway.local import upfile
from gateway.local.atlas import HANGZHOU
from gateway.local.generator import MERCHANT
from gateway.local.pinned import Trust
from gateway.local.running import RunningCity


def greet(
    console: Console, cities: list[tuple[RunningCity, upfile.UpFile]], trust: Trust | None
) -> None:
    """Say where each city is, and how to begin with the first one."""
    console.print("[bold red]NOT FOR PRODUCTION:[/] throw-away keys, people who do not exist")
    for running, up in cities:
        if len(cities) > 1:
            console.print(
                f"\n{running.city.zh} {running.city.en} ({running.city.code})", style="bold"
            )
        _addresses(console, running, up)
    if trust is not None:
        console.print(f"\ntrust list         {trust.url}")
        console.print(f"its keys           {trust.keys}")
    running, up = cities[0]
    _first_token(console, running, up)
    _commands(console, running, up)
    console.print("\nCtrl-C ends it; the data stay.")


def _addresses(console: Console, running: RunningCity, up: upfile.UpFile) -> None:
    settings = running.settings
    metrics = f"http://{settings.metrics_host}:{settings.metrics_port}{scrape.PATH}"
    first = "  (sign in as shi, who was never here)" if running.city == HANGZHOU else ""
    console.print(f"gateway            {up.base_url}")
    console.print(f"identity provider  {up.identity_url}")
    console.print(f"mini-app           {up.base_url}/app/{first}")
    if up.staff:
        console.print(f"counter            {up.base_url}/counter/  (who signs in there: below)")
    console.print(f"metrics            {metrics}")
    console.print(f"for your scripts   {running.data / upfile.NAME}  (mode 0600)")


def _first_token(console: Console, running: RunningCity, up: upfile.UpFile) -> None:
    if not any(party.client_id == MERCHANT for party in up.parties):
        return
    token = assertion(up.base_url, up.party(MERCHANT))
    console.print("\nA token, once (an assertion is good for 60 s and a single use):", style="bold")
    click.echo(
        f"curl -s {up.base_url}/oauth/token -d grant_type=client_credentials"
        " -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        f" -d client_assertion={token}"
    )
    console.print("\nThe next assertion:", style="bold")
    click.echo(f"{_program()} assertion {MERCHANT}{_which(running)}")


def _commands(console: Console, running: RunningCity, up: upfile.UpFile) -> None:
    which = _which(running)
    if up.staff:
        console.print("\nSigning in at a counter (login, password, six digits):", style="bold")
        click.echo(f"{_program()} clerk {up.staff[0].party}{which}")
    console.print("\nFor operators' commands in your own shell (staff list, …):", style="bold")
    click.echo(f'eval "$({_program()} operator{which})"')


def _which(running: RunningCity) -> str:
    return "" if running.city == HANGZHOU else f" --city {running.city.code}"


def _program() -> str:
    home = os.environ.get("QIANJIANG_DATA")
    return (f"QIANJIANG_DATA={home} " if home else "") + sys.argv[0]
