"""What the five published scenarios promise to citizens, to parties and to the law."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

import msgspec
import pytest

from scenarios import grammar as g
from scenarios.contract import Outcome, Values
from scenarios.manifest import Manifest
from scenarios.universal import UNIVERSAL
from tests.scenarios.worlds import NAMES, facts_of, packaged, us

NOW = us("2026-11-02T10:00:00+08:00")
FAR = us("2036-11-02T23:59:59+08:00")

#: An answer is never a punishment, and no text may sound like one.
HARSH = re.compile(
    r"拒绝|黑名单|失信|处罚|惩戒|不合格|禁止|refus|reject|den(y|ied)|blacklist|punish|penal|disqualif",
    re.IGNORECASE,
)


@pytest.fixture(params=NAMES)
def manifest(request: pytest.FixtureRequest) -> Manifest:
    return packaged()[request.param].manifest


def _words(manifest: Manifest) -> list[str]:
    """Every Chinese and English text of a manifest."""
    found: list[str] = []

    def gather(part: object) -> None:
        if isinstance(part, dict):
            found.extend(str(part[key]) for key in part if key.rsplit("_", 1)[-1] in ("zh", "en"))
            for value in part.values():
                gather(value)
        elif isinstance(part, list):
            for value in part:
                gather(value)

    gather(msgspec.to_builtins(manifest))
    return found


def test_the_five_named_scenarios_are_there() -> None:
    assert tuple(packaged()) == NAMES


def test_no_text_threatens_or_refuses(manifest: Manifest) -> None:
    universal = [text for info in UNIVERSAL for text in (info.zh, info.en, info.help_zh)]
    assert [text for text in (*_words(manifest), *universal) if HARSH.search(text)] == []


def test_every_text_is_there_in_both_languages(manifest: Manifest) -> None:
    document = msgspec.to_builtins(manifest)
    parts = [document["title"], document["summary"], document["consent"], *document["clauses"]]
    parts += [*document["facts"], *document["parameters"], *document["obligations"]]
    for part in parts:
        assert re.search(r"[\u4e00-\u9fff]", part["zh"])
        assert not re.search(r"[\u4e00-\u9fff]", part["en"])


def test_the_consent_says_what_a_withdrawal_does_and_that_nothing_is_lost(
    manifest: Manifest,
) -> None:
    consent = manifest.consent
    for said in ("撤回后的每一次新询问立即不再使用这份同意", "最多还有一分钟有效", "不同意"):
        assert said in consent.zh
    for said in ("a withdrawal binds every new question at once", "at most a minute", "without"):
        assert said.lower() in consent.en.lower()


def test_health_and_another_city_ask_for_a_consent_of_their_own(manifest: Manifest) -> None:
    assert manifest.consent.separate == (manifest.id in ("hospital", "recognition"))
    assert ("单独同意" in manifest.consent.zh) == manifest.consent.separate


def test_a_party_learns_the_answer_and_nothing_else(manifest: Manifest) -> None:
    assert manifest.consent.fields == ("answer",)
    assert manifest.consent.frequency_per_day is None


def test_a_promise_is_free_and_its_absence_leads_to_the_ordinary_way(manifest: Manifest) -> None:
    if manifest.commitment is not None:
        assert "自愿" in manifest.commitment.zh
        assert "照常" in manifest.commitment.zh


def test_the_promise_of_a_patient_is_about_paying_and_emergencies_never_ask() -> None:
    hospital = packaged()["hospital"].manifest
    assert hospital.commitment is not None
    assert "只关于付费" in hospital.commitment.zh
    assert "急诊从不询问" in hospital.summary.zh
    assert "急诊从不询问" in hospital.consent.zh
    assert [fact.name for fact in hospital.facts] == ["amount_fen"]


def test_every_committed_patient_has_a_limit_above_zero_in_every_band() -> None:
    (limit,) = packaged()["hospital"].manifest.parameters
    for dated in limit.dated:
        assert isinstance(dated.value, tuple)
        assert all(isinstance(entry, int) and entry > 0 for entry in dated.value)


def test_every_figure_is_a_dated_parameter_with_a_source(manifest: Manifest) -> None:
    """A literal says yes, no, none or one; whatever a city might change is a parameter."""
    for clause in manifest.clauses:
        for node in g.walk(clause.when):
            assert not isinstance(node, g.Constant) or node.value in (True, 0, 1)
    for param in manifest.parameters:
        for dated in param.dated:
            assert dated.illustrative
            assert dated.source.startswith("示例")


def test_parties_owe_the_same_to_everybody(manifest: Manifest) -> None:
    """Obligations are plain texts: nothing in them can differ between two citizens."""
    for obligation in manifest.obligations:
        assert set(msgspec.to_builtins(obligation)) == {"id", "zh", "en"}
        assert not re.search(r"[{}%]|band|等级", obligation.zh + obligation.en)


def test_every_scenario_names_the_plan_and_the_law(manifest: Manifest) -> None:
    documents = " ".join(citation.doc for citation in manifest.legal_basis)
    assert "杭发改规划〔2021〕184号" in documents
    assert "个人信息保护法" in documents


@pytest.mark.parametrize("t", [NOW, FAR])
@pytest.mark.parametrize("name", NAMES)
def test_the_example_is_answered_on_any_day(name: str, t: int) -> None:
    scenario = packaged()[name]
    example = scenario.manifest.example_at(t)
    values = Values(
        known=True,
        consent=True,
        band=5,
        commitment=True,
        points_balance=100,
        residency=(example.get("community", ""),),
        party_city=example.get("city"),
        party_community=example.get("community"),
    )
    facts = facts_of(scenario, **example)

    assert scenario.decide(values, facts, t).outcome is Outcome.ELIGIBLE
    nobody = msgspec.structs.replace(values, known=False)
    assert scenario.decide(nobody, facts, t).outcome is Outcome.STANDARD_PATH


def test_what_is_published_is_the_whole_rule_with_its_hashes(manifest: Manifest) -> None:
    public = msgspec.json.decode(msgspec.json.encode(manifest.public(NOW)))

    consent = manifest.consent
    shown = hashlib.sha256(f"{consent.version}\n{consent.zh}".encode()).hexdigest()
    assert public["consent"]["text_sha256"] == shown
    assert [clause["id"] for clause in public["clauses"]] == [c.id for c in manifest.clauses]
    assert all(
        {"from", "value", "source", "illustrative"} <= set(dated)
        for param in public["parameters"]
        for dated in param["dated"]
    )
    assert public["example"] == msgspec.json.decode(msgspec.json.encode(manifest.example_at(NOW)))


def test_an_example_time_lies_ahead_in_the_citys_own_zone() -> None:
    example = packaged()["rent"].manifest.example_at(us("2026-11-02T23:59:59+08:00"))
    assert datetime.fromisoformat(example["due_at"]).isoformat() == "2026-11-09T12:00:00+08:00"


def test_a_text_and_its_version_both_count_for_the_hash() -> None:
    consent = packaged()["rent"].manifest.consent
    others = [
        msgspec.structs.replace(consent, version="1.0.1"),
        msgspec.structs.replace(consent, zh=consent.zh + " "),
    ]
    assert len({consent.text_sha256, *(other.text_sha256 for other in others)}) == 3
