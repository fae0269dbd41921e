"""What the region would say of an agreement's draft or of who signs it, said before it is sent.

Looked up in the region's list as it is now. Pure: each function names the first fault, if any.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
