"""What the region would say of an agreement's draft or of who signs it, said before it is sent.

Looked up in the region's list as it is now. Pure: each function names the first fault, if any.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.claims import SchemeName
from gateway.cli._tables import visible
from gateway.jwk import thumbprint
from gateway.recognition.entry import City
from gateway.recognition.signing import Draft, OperatorKey
from gateway.recognition.statements import named
from gateway.recognition.trust_list import TrustList


def fault_of_terms(listed: TrustList, terms: Draft) -> str | None:
    """Why terms could not come into force between cities of the list."""
    absent = [code for code in terms.cities if code not in listed.cities]
    if absent:
        return (
            f"cities: {' and '.join(absent)} not in the region's list, which has "
            f"{_cities(listed.cities)}; a new city sends the region its entry first "
            "(`qianjiang cities entry`)"
        )
    cities = [listed.cities[code].entry for code in terms.cities]
    for entry in cities:
        if terms.scheme not in entry.schemes:
            has = ", ".join(f"{each.id}:{each.version}" for each in entry.schemes)
            scheme = f"{terms.scheme.id}:{terms.scheme.version}"
            return f"scheme: {entry.code} does not have {scheme} in its entry; it has {has}"
        if lacking := [each for each in terms.scenarios if each not in entry.scenarios]:
            return (
                f"scenarios: {entry.code} does not recognise {', '.join(lacking)} by its entry; "
                f"it has {', '.join(entry.scenarios)}"
            )
    others = {each for text in listed.agreements.get(terms.agreement, ()) for each in named(text)}
    if others.difference(terms.cities):
        return f"agreement: {terms.agreement} is the id of another pair's agreement; take a new one"
    return None


def fault_of_signer(listed: TrustList, code: str, issuer: str, key: OperatorKey) -> str | None:
    """Why a signature by this key would count for nothing of the city `code`."""
    city = listed.cities.get(code)
    if city is None:
        return f"{code} is not in the region's list; send the region its entry first"
    if city.entry.issuer != issuer:
        return (
            f"QIANJIANG_ISSUER is {issuer}, and {code} has {city.entry.issuer} in the region's "
            "list; set the one, or send the region a new entry"
        )
    for kid, known in city.operators.items():
        if thumbprint(known.public) == key.thumbprint:
            if kid == key.kid:
                return None
            return f"kid: {key.kid} is called {kid} in the entry of {code}; write it so"
    whose = [each for each in listed.cities.values() if key.kid in each.operators]
    other = f" (it is one of {whose[0].entry.code})" if whose else ""
    return (
        f"no operator of {code} has this key in the region's list{other}; {_people(city)} may "
        "sign, each with the file that `qianjiang cities operator-key` made for them"
    )


def fault_of_table(
    table: frozenset[str] | None, scheme: SchemeName, cities: Iterable[str]
) -> str | None:
    """Why nobody could be recognised by a scheme; `table` has the codes of its cities, None where
    this city does not publish it."""
    name = f"{scheme.id}:{scheme.version}"
    if table is None:
        return (
            f"scheme: {name} is not published at this city; `qianjiang cities scheme FILE` "
            "publishes it, at each city of an agreement"
        )
    if absent := [code for code in cities if code not in table]:
        return (
            f"scheme: the table of {name} says nothing of {' and '.join(absent)}, so that nobody "
            f"would be recognised; it has {_some(sorted(table))}. Agree on a new version with "
            "both, and publish it at each (`qianjiang cities scheme FILE`)"
        )
    return None


def fault_of_own(listed: TrustList, code: str, issuer: str) -> str | None:
    """What is wrong with how the list has this city itself; `issuer` is its own."""
    city = listed.cities.get(code)
    if city is not None and city.entry.issuer == issuer:
        return None
    if city is None:
        return (
            f"{code}, this city, is not in the list: nobody recognises it. Send the region its "
            "entry (`qianjiang cities entry`)"
        )
    return (
        f"ATTENTION: {code} in the list is another city, {visible(city.entry.name.zh)} at "
        f"{visible(city.entry.issuer)}, and this city is {issuer}: nobody recognises this one. "
        f"{remedy_of_own(code)}"
    )


def remedy_of_own(code: str) -> str:
    """How a city gets back into the list under its own code."""
    return (
        f"Send the region the right entry of {code} (`qianjiang cities entry`); it puts it in "
        "the other's place with `qianjiang region admit --replace`"
    )


def _cities(cities: Mapping[str, City]) -> str:
    names = [f"{code} {city.entry.name.zh}" for code, city in sorted(cities.items())]
    return _some(names) or "nobody"


def _people(city: City) -> str:
    return _some([f"{city.signers[kid]} ({kid})" for kid in city.operators])


def _some(names: Iterable[str], most: int = 8) -> str:
    """The first of them, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return visible(", ".join(listed[:most])) + more
