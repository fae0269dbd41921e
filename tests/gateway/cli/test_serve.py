"""`qianjiang serve` counts its workers into the city's, and refuses to be more than they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main, serve
from gateway.ids import SystemIds
from gateway.keys import write_keys
from gateway.settings import Settings, as_environment


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    keys = tmp_path / "keys.json"
    write_keys(keys, SystemIds())
    settings = Settings(
        issuer="https://gateway.example",
        city="330100",
        database_url="postgresql://db/qianjiang",
        valkey_url="unix:///run/valkey.sock",
        keys_file=keys,
        oidc_issuer="https://id.example",
    )
    variables = as_environment(settings)
    del variables["QIANJIANG_WORKERS"]
    return variables


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What the process would have become the server with: its environment."""
    environments: list[dict[str, str]] = []

    async def reachable(_: Settings) -> None:
        pass

    def become(_path: str, _line: list[str], environment: dict[str, str]) -> None:
        environments.append(environment)

    monkeypatch.setattr(serve, "_check", reachable)
    monkeypatch.setattr("os.execve", become)
    return environments


def test_workers_are_told_how_many_they_are(
    environment: dict[str, str], became: list[dict[str, str]]
) -> None:
    done = CliRunner().invoke(main, ["serve", "--workers", "3"], env=environment)
    assert done.exit_code == 0, done.output
    assert became[0]["QIANJIANG_WORKERS"] == "3"


def test_what_is_said_of_the_whole_city_stays(
    environment: dict[str, str], became: list[dict[str, str]]
) -> None:
    variables = environment | {"QIANJIANG_WORKERS": "8"}
    done = CliRunner().invoke(main, ["serve", "--workers", "4"], env=variables)
    assert done.exit_code == 0, done.output
    assert became[0]["QIANJIANG_WORKERS"] == "8"


def test_more_workers_than_the_city_has_would_each_take_too_large_a_share(
    environment: dict[str, str], became: list[dict[str, str]]
) -> None:
    variables = environment | {"QIANJIANG_WORKERS": "2"}
    done = CliRunner().invoke(main, ["serve", "--workers", "3"], env=variables)
    assert done.exit_code == 1
    assert "QIANJIANG_WORKERS" in done.output
    assert became == []


def test_a_region_whose_keys_cannot_be_read_refuses_to_start(
    environment: dict[str, str], became: list[dict[str, str]], tmp_path: Path
) -> None:
    variables = environment | {
        "QIANJIANG_TRUST_LIST_URL": "https://region.example/cities",
        "QIANJIANG_TRUST_LIST_KEYS": str(tmp_path / "absent.json"),
    }
    refused = CliRunner().invoke(main, ["serve"], env=variables)
    assert refused.exit_code == 1
    assert "QIANJIANG_TRUST_LIST_KEYS" in refused.output
    assert became == []
