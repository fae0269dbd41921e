"""Any number of generated citizens, the same for everybody who asks for so many.

A citizen's story follows from the number alone: nothing is drawn at random, so the ten-thousandth
citizen is the same in every demonstration and every measurement.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.local.people import person
from gateway.local.seeds import ConsentSeed, FactSeed, Persona, Story

#: Whose subjects scripts get, and whom a share of the generated citizens consented to.
MERCHANT = "example-bikes"
SCENARIO = "rent"

#: Of forty citizens one consented to the merchant and signed the promise. Both are acts like any
#: other, request and signature included, which is what seeding spends its time on.
CONSENTING = 40

_WORK = FactSeed("human_resources", "employment_months", 24)
_NEW_AT_WORK = FactSeed("human_resources", "employment_months", 6)
_INSURED = FactSeed("human_resources", "social_insurance_months", 24)
_FUND = FactSeed("housing_fund", "fund_months", 24)
_BILLS = FactSeed("utilities", "months_paid_on_time", 24)
_BILLS_SOME = FactSeed("utilities", "months_paid_on_time", 12)
_FILINGS = FactSeed("taxation", "filings_on_time", 5)
_PENALTY = FactSeed("enforcement", "penalty", "ordinary", 200)

#: (band, facts) for each of twenty citizens: most in the third band, few at either end (示例).
_PROFILES: tuple[tuple[int, tuple[FactSeed, ...]], ...] = (
    (1, (_PENALTY,)),
    *[(2, (_NEW_AT_WORK,))] * 4,
    *[(3, (_WORK, _BILLS_SOME))] * 9,
    *[(4, (_WORK, _BILLS, _FILINGS))] * 4,
    *[(5, (_WORK, _INSURED, _FUND, _BILLS, _FILINGS))] * 2,
)


def generated(count: int, *, merchant: bool = True) -> Iterator[Persona]:
    """The first so many citizens, of a city that has the merchant or does without it."""
    return (citizen(number, merchant=merchant) for number in range(1, count + 1))


def citizen(number: int, *, merchant: bool = True) -> Persona:
    """The citizen of a number.

    Raises:
        ValueError: there is no person of that number.
    """
    identity = person(number)
    band, facts = _PROFILES[_profile(number)]
    consenting = merchant and number % CONSENTING == 0
    return Persona(
        login=identity.login,
        name=identity.name,
        number=number,
        born=identity.birthdate,
        story=Story(zh="生成的示例居民", en="A generated citizen"),
        band=band,
        facts=facts,
        consents=(ConsentSeed(MERCHANT, SCENARIO),) if consenting else (),
        commitments=(SCENARIO,) if consenting else (),
    )


def _profile(number: int) -> int:
    """Neighbours differ, and so do those who consented: they are every `CONSENTING`th."""
    return (number * 7 + number // CONSENTING + 4) % len(_PROFILES)
