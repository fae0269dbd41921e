"""Facts and figures of scenarios as people read them, by their unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.web import spoken
from gateway.web.catalogue import Language, text
from scenarios.manifest import Manifest
from scenarios.registry import Registry
from scenarios.units import Unit
from scoring import Band

_FEN = (Unit.FEN, Unit.FEN_PER_DAY)

#: What the manifests' words say of the contract's units; people read yuan, and times of Hangzhou.
_ASIDES: Final[dict[Language, dict[Unit, str]]] = {
    "zh": {**dict.fromkeys(_FEN, "，单位为分"), Unit.TIME: "，带时区"},
    "en": {**dict.fromkeys(_FEN, ", in fen"), Unit.TIME: ", with its time zone"},
}


def label(words: str, unit: Unit, language: Language) -> str:
    """What a fact or figure is, without what its words say of the contract's units."""
    return words.replace(_ASIDES[language].get(unit, "\0"), "")


def amount(value: Any, unit: Unit, registry: Registry, language: Language) -> str:
    """One value in words; money, which is whole fen, in yuan."""
    if isinstance(value, list | tuple):
        between = "、" if language == "zh" else ", "
        return between.join(amount(each, unit, registry, language) for each in value)
    if unit in _FEN:
        return spoken.money(value)
    if unit is Unit.TIME:
        return spoken.moment(value, language)
    if unit is Unit.BAND:
        return band(value, language)
    if unit is Unit.DAYS:
        return text(language, "scenarios.days", n=value)
    if unit is Unit.SCENARIO and (compiled := registry.get(value)) is not None:
        title: str = getattr(compiled.manifest.title, language)
        return title
    return f"{value:,}" if isinstance(value, int) else str(value)


def band(value: int, language: Language) -> str:
    """A band by its published name; 0 is no score."""
    if value == 0:
        return text(language, "scenarios.no_score")
    name: str = getattr(Band(value).words, language)
    return spoken.capital(name)


def by_band(
    values: tuple[Any, ...], unit: Unit, registry: Registry, language: Language
) -> list[tuple[str, str]]:
    """One value for each band, from no score on."""
    return [
        (band(place, language), amount(value, unit, registry, language))
        for place, value in enumerate(values)
    ]


def facts(
    manifest: Manifest, sent: Mapping[str, Any], registry: Registry, language: Language
) -> list[tuple[str, str]]:
    """What was sent, each in the manifest's words without their asides on units."""
    return [
        (
            label(getattr(fact, language), fact.unit, language),
            amount(sent[fact.name], fact.unit, registry, language),
        )
        for fact in manifest.facts
        if fact.name in sent
    ]
