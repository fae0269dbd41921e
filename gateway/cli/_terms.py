"""The terms of an agreement from what was written on the command line, faults by their options."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import click
import msgspec

from gateway.claims import CityCode, SchemeName
from gateway.recognition.signing import Draft, checked
from gateway.working_days import calendar
from gateway.wrong_member import in_words
from scenarios.registry import load_registry


def terms_given(
    *,
    region: str,
    name: str,
    cities: tuple[str, str],
    scenarios: Iterable[str],
    scheme: SchemeName,
    days: tuple[date, date],
) -> Draft:
    """The terms between this city and the other one of `cities`; `days` are `from` and `to`.

    Raises:
        ClickException: they cannot be signed; the message names the option.
        SigningRefused: the days are in the wrong order.
    """
    this, other = cities
    check_scenarios(scenarios)
    _check_other(this, other)
    members = {
        "region": region,
        "agreement": name,
        "cities": sorted(cities),
        "scenarios": sorted(set(scenarios)),
        "scheme": scheme,
        "from": days[0],
        "to": days[1],
    }
    try:
        return checked(msgspec.convert(members, Draft))
    except msgspec.ValidationError as fault:
        # Of what is left only the name has a form of its own.
        if "$.agreement" in str(fault):
            raise click.ClickException(
                f"--id {name}: 3 to 64 small letters, digits and hyphens, such as hz-sz-1"
            ) from None
        raise click.ClickException(f"not terms that can be signed: {in_words(fault)}") from None


def check_scenarios(names: Iterable[str]) -> None:
    """Refuse a scenario that there is not.

    Raises:
        ClickException: the message says which there are.
    """
    served = load_registry(calendar())
    for name in names:
        if name not in served:
            raise click.ClickException(
                f"--scenario {name}: there is none; there are: {', '.join(sorted(served))}"
            )


def _check_other(this: str, other: str) -> None:
    if other == this:
        raise click.ClickException(
            f"--with {other}: that is this city itself; give the other one's code"
        )
    try:
        msgspec.convert(other, CityCode)
    except msgspec.ValidationError:
        raise click.ClickException(
            f"--with {other}: a city's six digits of GB/T 2260 are wanted, such as 330100"
        ) from None
