"""The operators' table of metrics is the list itself, and the alert rules use what is there."""

from __future__ import annotations

import re
from typing import Any

import yaml

from gateway.counts import LIMITS, PREMISES, SOURCES, TOKENS
from gateway.metrics import METRICS, Kind
from gateway.settings import Settings
from tests.docs.pages import ROOT, text

_ROW = re.compile(r"^\| `(qianjiang_\w+)` \| (.+?) \| (.+) \|$", re.MULTILINE)
_USED = re.compile(r"\b(qianjiang_\w+)(?:\{([^}]*)\})?")

FOLDER = ROOT / "docs" / "prometheus"
RULES = text(FOLDER / "alerts.yml")


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES)["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def test_every_metric_is_documented_once_with_its_labels_and_meaning() -> None:
    told = [
        (name, tuple(re.findall(r"`(\w+)`", labels)), meaning.lower())
        for name, labels, meaning in _ROW.findall(text(ROOT / "docs" / "operators.md"))
    ]
    assert told == [(each.exposed, each.labels, each.meaning.lower()) for each in METRICS]


def test_alerts_ask_for_metrics_and_labels_that_exist() -> None:
    known: dict[str, set[str]] = {}
    for each in METRICS:
        ends = ("_bucket", "_sum", "_count") if each.kind is Kind.HISTOGRAM else ("",)
        known |= {each.exposed + end: {*each.labels, "le", "city"} for end in ends}
    for rule in rules():
        for name, selector in _USED.findall(rule["expr"]):
            assert name in known, rule["alert"]
            assert set(re.findall(r"(\w+)!?=~?", selector)) <= known[name], rule["alert"]


def test_alerts_ask_for_values_that_exist() -> None:
    known = {
        *("eligibility", "5..", "server", "worker", "failed", "qianjiang"),
        *(*LIMITS, *PREMISES, *SOURCES, *TOKENS),
    }
    used = {value for rule in rules() for value in re.findall(r'!?=~?"([^"]*)"', rule["expr"])}
    assert used <= known


def test_every_alert_says_what_is_wrong_and_how_urgent_it_is() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules()) >= 6
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert len(rule["annotations"]["summary"]) > 20
        named = re.findall(r"qianjiang_\w+", " ".join(rule["annotations"].values()))
        assert set(named) <= {each.exposed for each in METRICS}


def test_the_example_scrapes_the_default_address() -> None:
    example = yaml.safe_load(text(FOLDER / "scrape.yml"))
    (job,) = example["scrape_configs"]
    defaults = Settings(
        issuer="https://gateway.example",
        city="330100",
        database_url="",
        valkey_url="",
        keys_file=ROOT,
        oidc_issuer="https://id.example",
    )
    (target,) = job["static_configs"]
    assert target["targets"] == [f"{defaults.metrics_host}:{defaults.metrics_port}"]
    assert job["job_name"] == "qianjiang"
    assert example["rule_files"] == ["alerts.yml"]
    assert job.get("metrics_path", "/metrics") == "/metrics"
