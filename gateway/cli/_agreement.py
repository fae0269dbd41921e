"""`qianjiang cities agreement`: drafted once, signed by two operators of each city."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from pathlib import Path
from typing import Final

import click
import msgspec

from gateway.cli._fetched import ListUnreachable, fetched, table_here
from gateway.cli._files import FILE, small
from gateway.cli._foreseen import fault_of_signer, fault_of_table, fault_of_terms
from gateway.cli._owner import as_owner
from gateway.cli._place import Known, Place, scheme_named
from gateway.cli._tables import copyable, put, visible
from gateway.cli._terms import terms_given
from gateway.cli._waiting import patiently, wait_option
from gateway.clock import SECOND_US, SystemClock, rfc3339
from gateway.recognition.admitting import admitted
from gateway.recognition.agreements import QUORUM, Act, Agreement, State, conclude
from gateway.recognition.entry import is_origin
from gateway.recognition.signing import (
    Draft,
    SigningRefused,
    read_draft,
    read_operator_key,
    statement,
)
from gateway.recognition.trust_list import TrustList
from gateway.scores import today

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def agreement() -> None:
    """Draft, sign, suspend, resume and end agreements with other cities.

    A statement counts when the region has put it into its list, and when two operators of the
    city have made it. Send it to the region; it holds no secret.
    """


@agreement.command()
@click.option("--id", "name", required=True, help="A name that neither city used before.")
@click.option("--with", "other", required=True, help="The other city's GB/T 2260 code.")
@click.option("--scenario", "scenarios", multiple=True, required=True)
@click.option("--scheme", required=True, metavar="ID:VERSION")
@click.option("--from", "first", required=True, type=_DAY, help="The first day.")
@click.option("--to", "last", required=True, type=_DAY, help="The first day without it.")
@click.pass_obj
def draft(
    place: Place,
    name: str,
    other: str,
    scenarios: tuple[str, ...],
    scheme: str,
    first: datetime,
    last: datetime,
) -> None:
    """Print the terms as JSON: both cities' operators sign this very file."""
    drafted = terms_given(
        region=place.region().iss,
        name=name,
        cities=(place.need("city"), other),
        scenarios=scenarios,
        scheme=scheme_named(scheme),
        days=(first.date(), last.date()),
    )
    if trouble := _fault(place, _listed(place), drafted):
        raise click.ClickException(f"not terms that can come into force: {trouble}")
    click.echo(msgspec.json.format(msgspec.json.encode(drafted)).decode())


def _acting(act: Act, meaning: str) -> click.Command:
    """The command by which an operator does this."""

    @click.command(act, help=meaning)
    @click.argument("draft", type=FILE)
    @click.option("--key", "key_file", required=True, type=FILE, help="Their private key.")
    @click.pass_obj
    def acting(place: Place, draft: Path, key_file: Path) -> None:
        _say(place, act, draft, key_file)

    return acting


_ACTS: Final[tuple[tuple[Act, str], ...]] = (
    ("sign", "Sign the terms of DRAFT."),
    ("suspend", "Suspend the agreement of DRAFT, until two operators of this city resume it."),
    ("resume", "Resume the agreement of DRAFT, which this city suspended."),
    ("end", "End the agreement of DRAFT, for good."),
)
for _act, _meaning in _ACTS:
    agreement.add_command(_acting(_act, _meaning))


@agreement.command()
@click.argument("name", required=False)
@wait_option
@click.pass_obj
def show(place: Place, name: str | None, wait: float) -> None:
    """Show this city's agreements as the region's list has them, and who said what.

    With --wait and a NAME: once it is in force.
    """
    if name is not None:
        patiently(wait, f"{name} to be in force", lambda: _is_in_force(place, name))
    known = place.known()
    now_us = SystemClock().now_us()
    found = {
        each: concluded
        for each, said in known.statements.items()
        if name in (None, each) and (concluded := conclude(each, said, now_us)) is not None
    }
    if name is not None and name not in found:
        known_names = ", ".join(sorted(known.statements)) or "none"
        raise click.ClickException(
            f"{name}: the list has no agreement of this name and city; of this city it has: "
            f"{known_names}. What the region was sent a moment ago takes ten seconds; see --wait"
        )
    parties = as_owner(place.owner_url, admitted)
    for each, concluded in sorted(found.items()):
        click.echo(_told(concluded))
        if lines := _unadmitted(concluded, place.need("city"), parties):
            click.echo(lines)
        if lines := _awaited(concluded, known):
            click.echo(lines)
        table = copyable("at", "city", "act", others=("operator",))
        for said in sorted(known.statements[each], key=lambda said: said.at_s):
            table.add_row(rfc3339(said.at_s * SECOND_US), said.city, said.act, said.operator)
        put(table)


def _is_in_force(place: Place, name: str) -> bool:
    """Whether it is, by the list that was fetched last."""
    known = as_owner(place.owner_url, place.read)
    said = known.statements.get(name, ()) if known else ()
    concluded = conclude(name, said, SystemClock().now_us())
    return concluded is not None and concluded.state is State.IN_FORCE


def _say(place: Place, act: Act, path: Path, key_file: Path) -> None:
    try:
        terms = read_draft(small(path))
    except SigningRefused as refused:
        raise click.ClickException(f"{path}: {refused}") from None
    city, issuer = place.need("city"), place.need("issuer")
    if not is_origin(issuer):
        raise click.ClickException(
            f"QIANJIANG_ISSUER {issuer!r} is no origin: https://city.example"
        )
    if city not in terms.cities:
        raise click.ClickException(
            f"{path}: it is between {' and '.join(terms.cities)}, and this city is {city}"
        )
    if terms.region != (region := place.region()).iss:
        raise click.ClickException(
            f"{path}: region: it is for {terms.region}, and this city's region is {region.iss}; "
            "draft it anew"
        )
    key = read_operator_key(key_file)
    listed, who = _listed(place), key.kid
    # What ends or suspends must be heard, whatever became of the terms.
    if act == "sign" and (fault := _fault(place, listed, terms)):
        raise click.ClickException(f"{path}: {fault}")
    if listed is not None:
        if fault := fault_of_signer(listed, city, issuer, key):
            raise click.ClickException(f"{key_file}: {fault}")
        who = f"{visible(listed.cities[city].signers[key.kid])} ({key.kid})"
    said = statement(terms, act, issuer, key, SystemClock().now_us())
    click.echo(f"{who} says for {place.city}: {act} {terms.agreement}", err=True)
    click.echo(said)


def _fault(place: Place, listed: TrustList | None, terms: Draft) -> str | None:
    """Why terms could not come into force, or would serve nobody."""
    if terms.to <= today(SystemClock()):
        return f"to: {terms.to} is over; an agreement holds from `from` to the day before `to`"
    if listed is None:
        return None
    if fault := fault_of_terms(listed, terms):
        return fault
    table = table_here(place.issuer, terms.scheme)
    if isinstance(table, str):
        click.echo(f"not looked up in the scheme's table: {table}", err=True)
        return None
    return fault_of_table(table, terms.scheme, terms.cities)


def _listed(place: Place) -> TrustList | None:
    """The region's list now; None, and a word about it, where it cannot be had: people may sign
    where there is no network."""
    if place.list_url is None:
        click.echo(
            "not looked up in the region's list: QIANJIANG_TRUST_LIST_URL is unset", err=True
        )
        return None
    try:
        return fetched(place.list_url, place.region(), loopback=place.allow_loopback_http)
    except ListUnreachable as fault:
        click.echo(f"not looked up in the region's list: {fault}", err=True)
        return None


def _awaited(agreement: Agreement, known: Known) -> str:
    """Who has still to sign what is proposed, or what to do about two texts under one name."""
    if agreement.state is State.DISPUTED:
        return "two different texts were signed under this name: agree anew, under another one"
    if agreement.state is not State.PROPOSED:
        return ""
    said = known.statements[agreement.id]
    lines = []
    for code in agreement.terms.cities:
        signed = {s.operator for s in said if s.city == code and s.terms == agreement.terms}
        if (missing := QUORUM - len(signed)) > 0:
            city = known.listed.cities.get(code)
            people = sorted(set(city.signers.values()) - signed) if city else []
            names = f" of {visible(', '.join(people))}" if people else ": it is not in the list"
            lines.append(f"  waits for {code}: {missing} more signature(s){names}")
    return "\n".join(lines)


def _unadmitted(agreement: Agreement, own: str, parties: Container[str]) -> str:
    """What is in force and does nothing yet for the citizens of this city."""
    other = agreement.other(own)
    if agreement.state is not State.IN_FORCE or other is None or other in parties:
        return ""
    return (
        f"  {own} has not admitted {other}, and says nothing of its citizens there: "
        f"`qianjiang cities admit {other}`"
    )


def _told(agreement: Agreement) -> str:
    terms = agreement.terms
    return (
        f"{agreement.id}: {agreement.state}; {' and '.join(terms.cities)}; "
        f"{', '.join(sorted(terms.scenarios))}; {terms.scheme.id}:{terms.scheme.version}; "
        f"{terms.from_} to {terms.to} (exclusive)"
    )
