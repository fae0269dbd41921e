"""`qianjiang assertion`: a client assertion of a demo party, good for one token."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.claims import AssertionClaims, Kind
from gateway.cli._which import up_options
from gateway.client_keys import private_key
from gateway.clock import SECOND_US, SystemClock
from gateway.ids import SystemIds
from gateway.jose import sign
from gateway.local import upfile

#: Seconds that an assertion is good for.
LIFE_S = 60


@click.command()
@click.argument("client_id")
@up_options
def command(client_id: str, up: Path) -> None:
    """Print a fresh client assertion (RFC 7523) of CLIENT_ID, from the keys in up.json."""
    city = upfile.read(up)
    click.echo(assertion(city.base_url, city.party(client_id)))


def assertion(issuer: str, party: upfile.UpParty) -> str:
    """An assertion signed by the party's own key for the gateway at `issuer`."""
    now_s = SystemClock().now_us() // SECOND_US
    claims = AssertionClaims(
        iss=party.client_id,
        sub=party.client_id,
        aud=issuer,
        jti=SystemIds().token(),
        iat=now_s,
        exp=now_s + LIFE_S,
    )
    return sign(Kind.ASSERTION, claims, party.jwk["kid"], private_key(party.jwk))
