"""`qianjiang clerk`: how a demo party's member of staff signs in at the counter, right now."""

from __future__ import annotations

from pathlib import Path

import click
import pyotp

from gateway.cli._which import up_options
from gateway.local import upfile
from gateway.local.generator import MERCHANT


@click.command()
@click.argument("party", default=MERCHANT)
@up_options
def command(party: str, up: Path) -> None:
    """Print login, password and the six digits of this moment of PARTY's staff, from up.json.

    An authenticator app would show the same digits. Each is good once, for 30 seconds.
    """
    city = upfile.read(up)
    account = city.clerk(party)
    click.echo(f"address   {city.base_url}/counter/")
    click.echo(f"login     {account.login}")
    click.echo(f"password  {account.password}")
    click.echo(f"digits    {pyotp.TOTP(account.totp_secret).now()}")
