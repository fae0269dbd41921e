"""Settings are read once, checked as a whole, and survive the way to a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.settings import Settings, SettingsError, as_environment, is_loopback, read_settings

GOOD: dict[str, Any] = {
    "issuer": "https://gateway.example",
    "city": "330100",
    "database_url": "postgresql://db/qianjiang",
    "valkey_url": "unix:///run/valkey.sock",
    "keys_file": Path("/etc/qianjiang/keys.json"),
    "oidc_issuer": "https://id.example",
}


def test_settings_survive_the_environment() -> None:
    settings = Settings(**GOOD, session_ttl_s=60, oidc_synthetic=True, cache_timeout_s=0.25)
    assert read_settings(as_environment(settings)) == settings


def test_other_variables_are_nobodys_business() -> None:
    environment = as_environment(Settings(**GOOD)) | {"HOME": "/root", "QIANJIANG_PORT": "8700"}
    assert read_settings(environment) == Settings(**GOOD)


@pytest.mark.parametrize("missing", GOOD)
def test_what_is_missing_is_named(missing: str) -> None:
    environment = as_environment(Settings(**GOOD))
    del environment[f"QIANJIANG_{missing.upper()}"]
    with pytest.raises(SettingsError, match=f"not set: QIANJIANG_{missing.upper()}$"):
        read_settings(environment)


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({})
    assert all(f"QIANJIANG_{name.upper()}" in str(refused.value) for name in GOOD)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://gateway.example"},
        {"oidc_issuer": "http://id.example"},
        {"issuer": "https://gateway.example/"},
        {"issuer": "http://gateway.example", "allow_loopback_http": True},
        {"token_ttl_s": 301},
        {"token_ttl_s": 0},
        {"answer_ttl_s": 61},
        {"workers": 0},
        {"party_rate_per_s": 0},
        {"party_rate_per_s": -1},
        {"party_rate_per_s": 100, "party_burst": 99},
        {"party_burst": 0},
        {"party_burst": 1_000_001},
        {"bad_signatures_max": 0},
        {"admission_per_s": -1},
        {"admission_in_flight": 0},
        {"admission_waiting": -1},
        {"metrics_port": -1},
        {"metrics_port": 65536},
    ],
)
def test_a_setting_that_weakens_a_promise_refuses_to_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        Settings(**(GOOD | wrong))


def test_a_word_where_a_number_belongs_is_refused() -> None:
    environment = as_environment(Settings(**GOOD)) | {"QIANJIANG_TOKEN_TTL_S": "long"}
    with pytest.raises(SettingsError, match="QIANJIANG_TOKEN_TTL_S: expected `int`"):
        read_settings(environment)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://127.0.0.1:8700", True),
        ("http://127.9.9.9", True),
        ("http://localhost:1/x", True),
        ("http://[::1]:1", True),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1@example.com", False),
        ("http://10.0.0.1", False),
        ("https://example.com/127.0.0.1", False),
        ("", False),
    ],
)
def test_only_this_machine_is_loopback(address: str, local: bool) -> None:
    assert is_loopback(address) is local
