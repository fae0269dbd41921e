"""`qianjiang up`: a city that stays, for your own first requests."""

from __future__ import annotations

import os
import socket
import sys

import click
from rich.console import Console

from gateway.cli import ended_by
from gateway.cli._stages import stages
from gateway.cli.assertion import assertion
from gateway.clock import SystemClock
from gateway.edge import scrape
from gateway.local import upfile
from gateway.local.generator import MERCHANT
from gateway.local.processes import free_ports, stop_on_sigterm
from gateway.local.running import GATEWAY_HOST, IDENTITY_HOST, RunningCity, data_folder
from gateway.local.seeds import load_seeds
from gateway.local.settlement import settle
from gateway.scores import today
from gateway.settings import Settings

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
    help="Gateway processes.",
)
@click.option(
    "--citizens",
    default=10_000,
    show_default=True,
    type=click.IntRange(0),
    help="Generated citizens.",
)
def command(port: int, workers: int, citizens: int) -> None:
    """Bring a seeded city up and keep it until Ctrl-C. NOT FOR PRODUCTION."""
    stop_on_sigterm()
    console = Console()
    hosts = [GATEWAY_HOST, IDENTITY_HOST, GATEWAY_HOST]
    ports = [port, port + 1, port + 2] if port else free_ports(hosts)
    for host, wanted in zip(hosts, ports, strict=True):
        _reserve(host, wanted)
    seeds = load_seeds()
    with stages(console) as tell:
        running = RunningCity(
            data_folder("up"),
            port=ports[0],
            identity_port=ports[1],
            metrics_port=ports[2],
            workers=workers,
            progress=tell,
            personas=[persona.identity(today(SystemClock())) for persona in seeds.personas],
        )
        running.__enter__()
    try:
        _run(running, citizens, console)
    except KeyboardInterrupt as interrupt:
        console.print(f"{ended_by(interrupt)}; stopping")
    finally:
        running.__exit__(None, None, None)


def _reserve(host: str, port: int) -> None:
    """Refuse an address that is taken.

    The server shares its port among its workers (SO_REUSEPORT), so a second city would come up at
    the address of the first, and the kernel would hand each request to either.
    """
    with socket.socket() as probe:
        # Connections of a city that has just ended do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            raise click.ClickException(
                f"cannot listen on {host}:{port} ({fault.strerror}); stop what listens there, or "
                "choose another port with QIANJIANG_PORT (0 = any free one)"
            ) from None


def _run(running: RunningCity, citizens: int, console: Console) -> None:
    file = running.data / upfile.NAME
    file.unlink(missing_ok=True)  # of a run before, at another address
    with stages(console) as tell:
        city = settle(running, citizens, tell)
        running.start(tell)
    upfile.write(file, city)
    _greet(console, city, str(file), running.settings)
    assert running.processes is not None
    try:
        ended = running.processes.watch()
    finally:
        file.unlink(missing_ok=True)
    raise click.ClickException(f"{ended.name} ended:\n{ended.tail()}")


def _greet(console: Console, city: upfile.UpFile, file: str, settings: Settings) -> None:
    token = assertion(city.base_url, city.party(MERCHANT))
    console.print("[bold red]NOT FOR PRODUCTION:[/] throw-away keys, people who do not exist")
    console.print(f"gateway            {city.base_url}")
    console.print(f"identity provider  {city.identity_url}")
    console.print(f"mini-app           {city.base_url}/app/  (sign in as shi, who was never here)")
    console.print(f"counter            {city.base_url}/counter/  (who signs in there: below)")
    metrics = f"http://{settings.metrics_host}:{settings.metrics_port}{scrape.PATH}"
    console.print(f"metrics            {metrics}")
    console.print(f"for your scripts   {file}  (mode 0600)")
    console.print("\nA token, once (an assertion is good for 60 s and a single use):", style="bold")
    click.echo(
        f"curl -s {city.base_url}/oauth/token -d grant_type=client_credentials"
        " -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        f" -d client_assertion={token}"
    )
    home = os.environ.get("QIANJIANG_DATA")
    command = (f"QIANJIANG_DATA={home} " if home else "") + sys.argv[0]
    console.print("\nThe next assertion:", style="bold")
    click.echo(f"{command} assertion {MERCHANT}")
    console.print("\nSigning in at a shop's counter (login, password, six digits):", style="bold")
    click.echo(f"{command} clerk {MERCHANT}")
    console.print("\nFor operators' commands in your own shell (staff list, …):", style="bold")
    click.echo(f'eval "$({command} operator)"')
    console.print("\nCtrl-C ends it; the data stay.")
