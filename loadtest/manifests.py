"""Generated scenarios: valid manifests with their cases, as many as wanted, always the same.

A scenario of a number is built of parts of the closed grammar (`loadtest/clauses.py`). Five plans
of parts alternate and every number, list and date is its own, so that a question costs the same
whether it is spread over five of them or over five hundred. The TOML text goes through the
ordinary parser, checks and compiler.

    python -m loadtest.manifests 500
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import click
from litestar.types import ASGIApp

from gateway import logs
from gateway.app import build_app
from gateway.city import City
from gateway.clock import SystemClock
from gateway.ids import SystemIds
from gateway.keys import load_keys
from gateway.local.atlas import HANGZHOU
from gateway.processes import die_with_parent
from gateway.publication import publish
from gateway.settings import Settings, read_settings
from gateway.working_days import calendar
from loadtest import clauses
from loadtest.clauses import AT, START, Maker, Part
from loadtest.serving import Owner
from scenarios.cases import differences, parse_cases
from scenarios.compiler import compile_scenario
from scenarios.manifest import Manifest
from scenarios.registry import Registry, load_registry, parse_manifest
from scenarios.universal import UNIVERSAL

#: How many generated scenarios this process serves, and whether the packaged ones as well.
COUNT, PACKAGED = "LOADTEST_SCENARIOS", "LOADTEST_PACKAGED"

PLANS: tuple[tuple[Maker, ...], ...] = (
    (clauses.due, clauses.span, clauses.band, clauses.commitment, clauses.exposure),
    (clauses.kinds, clauses.band, clauses.loans, clauses.card, clauses.commitment),
    (clauses.free_part, clauses.commitment, clauses.hours, clauses.kinds, clauses.band),
    (clauses.working, clauses.due, clauses.loans, clauses.exposure, clauses.commitment),
    (clauses.hours, clauses.span, clauses.free_part, clauses.card, clauses.commitment),
)

_WORDS = {"zh": "示例文字，用于性能测量。", "en": "An example, made for measurements."}
_HELP = {"help_zh": "照常办理即可。", "help_en": "The ordinary way applies."}


def name_of(number: int) -> str:
    """The id of a generated scenario: letters and digits, so few that a token has room for 62."""
    return f"b{number:03}"


def manifest(number: int) -> Manifest:
    """A generated scenario, read and checked as any other.

    Raises:
        ManifestError: the generator has a fault.
    """
    return parse_manifest(manifest_text(number), f"{name_of(number)}/scenario.toml")


def registry(count: int, *, packaged: bool = True) -> Registry:
    """So many generated scenarios, and the packaged ones."""
    days = calendar()
    known = dict(load_registry(days)) if packaged else {}
    made = {name_of(number): compile_scenario(manifest(number), days) for number in range(count)}
    return Registry({**known, **made})


def city_with(settings: Settings, scenarios: Registry) -> City:
    """A worker's parts around another registry, otherwise as `gateway.app.open_city` does."""
    return City(settings, load_keys(settings.keys_file), scenarios, SystemClock(), SystemIds())


def create_app() -> ASGIApp:
    """The application of one worker with more scenarios than are packaged."""
    die_with_parent()
    logs.configure()
    scenarios = registry(int(os.environ[COUNT]), packaged=os.environ[PACKAGED] == "true")
    return build_app(city_with(read_settings(os.environ), scenarios))


def environment(count: int, *, packaged: bool = True) -> dict[str, str]:
    """What `create_app` reads."""
    return {COUNT: str(count), PACKAGED: str(packaged).lower()}


async def put_live(owner: Owner, scenarios: Registry) -> None:
    """Publish the scenarios into the live set of a local city."""
    await publish(owner, scenarios, HANGZHOU.code)


def manifest_text(number: int) -> str:
    """The `scenario.toml` of a number."""
    parts = _parts(number)
    # Two clauses may need the same fact.
    facts = {fact["name"]: fact for part in parts for fact in part.facts}
    parameters = [parameter for part in parts for parameter in part.parameters]
    return _document(
        id=name_of(number),
        version="1.0.0",
        status="live",
        owner="性能测量（示例） / measurements (example)",
        purposes=["measurement"],
        reads=sorted({read for part in parts for read in part.reads}),
        title={"zh": f"示例场景 {number}", "en": f"Example scenario {number}"},
        summary=_WORDS,
        legal_basis=[{"doc": "虚构的依据（示例）", "article": f"第{number}条"}],
        consent={
            "version": "1.0.0",
            "fields": ["answer"],
            "max_duration_days": 365,
            "separate": False,
            **_WORDS,
        },
        commitment={"template": f"bench_{number}", "version": "1.0.0", **_WORDS},
        facts=list(facts.values()),
        parameters=parameters,
        clauses=[
            {"id": part.id, "fails": part.fails, "when": part.when, **_WORDS, **_HELP}
            for part in parts
        ],
        obligations=[{"id": "nothing_else", **_WORDS}],
        example={name: value for part in parts for name, value in part.example.items()},
    )


def cases_text(number: int) -> str:
    """The `cases.toml` of a number: what each clause turns on, and what the gateway asks itself."""
    parts = _parts(number)
    values = {"known": True, "consent": True}
    sent: dict[str, Any] = {}
    for part in parts:
        values |= part.values
        sent |= part.sent
    cases = [*_universal_cases(), *_clause_cases(parts), *_missing_cases(parts), _too_early(parts)]
    return _document(
        baseline={"at": AT, "values": values, "facts": sent},
        cases=[{"name": "all is well", "outcome": "eligible"}, *cases],
    )


def _parts(number: int) -> list[Part]:
    dice = random.Random(number)  # the same scenario every time, not a secret
    return [make(dice) for make in PLANS[number % len(PLANS)]]


def _universal_cases() -> Iterator[dict[str, Any]]:
    for clause in UNIVERSAL[:-1]:  # the last one is about the question, see `_missing_cases`
        broken = clause.id not in ("known", "consent", "recognised")
        yield _case(f"not {clause.id}", "standard_path", [clause.id], values={clause.id: broken})


def _clause_cases(parts: list[Part]) -> Iterator[dict[str, Any]]:
    for part in parts:
        for number, broken in enumerate(part.breaks):
            # One that depends on the question alone decides the outcome before the citizen does.
            outcome = "cannot_assess" if part.fails == "cannot_assess" else "standard_path"
            yield _case(
                f"{part.id} broken, {number}",
                outcome,
                [part.id],
                values=broken.values,
                facts=broken.facts,
                at=broken.at,
            )


def _missing_cases(parts: list[Part]) -> Iterator[dict[str, Any]]:
    needs = {
        part.id: {fact["name"] for fact in part.facts if not fact.get("optional")} for part in parts
    }
    for name in sorted(set().union(*needs.values())):
        unmet = ["inputs", *(part.id for part in parts if name in needs[part.id])]
        yield _case(f"{name} was not sent", "cannot_assess", unmet, missing=[name])


def _too_early(parts: list[Part]) -> dict[str, Any]:
    midnight = datetime.combine(START, datetime.min.time(), AT.tzinfo)
    unmet = ["inputs", *(part.id for part in parts if part.parameters)]
    return _case("before any figure", "cannot_assess", unmet, at=midnight - timedelta(seconds=1))


def _case(name: str, outcome: str, unmet: list[str], **different: Any) -> dict[str, Any]:
    given = {key: value for key, value in different.items() if value}
    return {"name": name, "outcome": outcome, "unmet": unmet, **given}


def _document(**tables: Any) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in tables.items())


def _toml(value: Any) -> str:
    """A value in TOML, tables inline; JSON's strings, numbers and booleans are TOML's too."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@click.command()
@click.argument("count", default=62)
def main(count: int) -> None:
    """Compile so many generated scenarios and play their cases."""
    begun = time.monotonic()
    made = registry(count, packaged=False)
    click.echo(f"{len(made)} compiled in {time.monotonic() - begun:.1f} s")
    wrong = [
        f"{name}: {difference}"
        for number, name in enumerate(made)
        for difference in differences(made[name], parse_cases(cases_text(number)))
    ]
    click.echo("\n".join(wrong) or "all cases hold")
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
