"""Whether a citizen of one city can visit another one, said before anybody sets out."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gateway.cli._fetched import ListForeign, ListUnreachable, fetched
from gateway.cli._owner import as_owner
from gateway.clock import SystemClock
from gateway.conformance.listed import beside_others
from gateway.errors import DependencyDown, GatewayError
from gateway.local import upfile
from gateway.local.atlas import demo_city
from gateway.local.company import UP
from gateway.local.people import person_of_login
from gateway.local.running import data_folder
from gateway.recognition.admitting import admitted as admitted_cities
from gateway.recognition.region import load_region
from gateway.recognition.trust_list import TrustList

#: Logins that are shown of a city that has many.
_SHOWN: Final = 12


class NoWay(GatewayError):
    """The visit cannot be; the message says why, and what can."""


def check_way(operator: upfile.UpOperator, home: str, scenario: str) -> None:
    """See that something is open between the visited city and `home`.

    Where the region's list cannot be had the visited city itself will say so.

    Raises:
        NoWay: nothing is, or not this scenario.
    """
    code = operator.city
    if home == code:
        raise NoWay(f"--home {home} is the visited city itself; --city says which one is visited")
    if not operator.trust_list_url:
        raise NoWay(
            f"{code} is up without a region, and recognises nobody; `make cities` brings up two "
            "cities and their region"
        )
    try:
        region = load_region(Path(operator.trust_list_keys))
        listed = fetched(operator.trust_list_url, region, loopback=True)
    except (ListUnreachable, ListForeign):
        return
    _check_open(listed, code, home, scenario)


def _check_open(listed: TrustList, code: str, home: str, scenario: str) -> None:
    own = listed.cities.get(code)
    if own is None:
        raise NoWay(f"{code} is not in the region's list; docs/cities.md says how a city joins")
    others = {each: city for each, city in listed.cities.items() if each != code}
    if home not in others:
        names = ", ".join(f"{each} {city.entry.name.zh}" for each, city in sorted(others.items()))
        raise NoWay(f"--home {home}: not in the region's list; besides {code} it has {names}")
    there = beside_others(own, listed, SystemClock().now_us()).open_with(home)
    if not there:
        raise NoWay(
            f"nothing is open between {code} and {home}: they have no agreement in force "
            "(`qianjiang cities agreement show`)"
        )
    if scenario not in there:
        raise NoWay(
            f"--scenario {scenario}: not open between {code} and {home}; open are "
            f"{', '.join(sorted(there))}"
        )


def check_login(login: str, home: str) -> None:
    """See that somebody of this name is at home there, as far as this machine knows.

    Raises:
        NoWay: nobody is; the message names those who are.
    """
    file = data_folder(UP, demo_city(home)) / upfile.NAME
    if not file.exists() or person_of_login(login) is not None:
        return
    logins = [each.login for each in upfile.read(file).personas]
    if login not in logins:
        more = ", …" if len(logins) > _SHOWN else ""
        known = ", ".join(logins[:_SHOWN]) or "nobody with a story"
        raise NoWay(f"nobody at {home} signs in as {login!r}; there are: {known}{more}")


def check_admitted(code: str, home: str) -> None:
    """See that the home city has made the visited one a party, as far as this machine knows: only
    then it says anything of its citizens there. The visited city needs no such party of its own.

    Raises:
        NoWay: it has not; the message has the command.
    """
    file = data_folder(UP, demo_city(home)) / upfile.NAME
    operator = upfile.read(file).operator if file.exists() else None
    if operator is None:
        return
    try:
        admitted = as_owner(operator.owner_url, admitted_cities)
    except DependencyDown:
        return
    if code not in admitted:
        raise NoWay(
            f"{home} has not admitted {code}, and says nothing of its citizens there: "
            f'`eval "$(qianjiang operator --city {home})"`, then `qianjiang cities admit {code}`'
        )
