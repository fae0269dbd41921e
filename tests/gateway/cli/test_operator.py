"""What operators' commands need for the local city is printed for a shell, from up.json."""

from __future__ import annotations

import subprocess
from pathlib import Path

from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.local import upfile
from gateway.local.upfile import UpFile, UpOperator

OPERATOR = UpOperator(
    owner_url="postgresql://qianjiang_owner:a'b c$d@127.0.0.1:1/qianjiang",
    valkey_url="unix:///a/place with spaces/valkey.sock",
    keys_file="/a/place with spaces/keys.json",
    issuer="http://127.0.0.1:8700",
    city="330100",
    city_contact="示例：0571-00000000",
    trust_list_url="http://127.0.0.10:1/trust-list",
    trust_list_keys="/a/place with spaces/pinned.json",
)

NAMES = (
    "QIANJIANG_OWNER_URL",
    "QIANJIANG_VALKEY_URL",
    "QIANJIANG_KEYS_FILE",
    "QIANJIANG_ISSUER",
    "QIANJIANG_CITY",
    "QIANJIANG_CITY_CONTACT",
    "QIANJIANG_TRUST_LIST_URL",
    "QIANJIANG_TRUST_LIST_KEYS",
    "QIANJIANG_ALLOW_LOOPBACK_HTTP",
)


def printed(folder: Path, operator: UpOperator | None) -> Result:
    file = folder / upfile.NAME
    city = UpFile("http://127.0.0.1:1", "http://127.0.0.2:2", [], [], [], "", [], operator)
    upfile.write(file, city)
    return CliRunner().invoke(main, ["operator", "--up", str(file)])


def test_a_shell_reads_the_very_values(tmp_path: Path) -> None:
    done = printed(tmp_path, OPERATOR)
    assert done.exit_code == 0, done.output
    read = subprocess.run(
        ["/bin/sh", "-c", 'eval "$1"; exec env -0', "sh", done.output],
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    held = dict(each.split("=", 1) for each in read.stdout.split("\0") if each)
    assert {name: held[name] for name in NAMES} == OPERATOR.environment


def test_a_file_without_it_or_no_city_is_said_with_the_remedy(tmp_path: Path) -> None:
    assert "run `make up` again" in printed(tmp_path, None).output
    missing = CliRunner().invoke(main, ["operator", "--up", str(tmp_path / "none.json")])
    assert missing.exit_code == 1
    assert "run `make up` first" in missing.output


def test_a_city_that_is_not_up_is_said_with_those_that_are(tmp_path: Path) -> None:
    environment = {"QIANJIANG_DATA": str(tmp_path)}
    words = ["operator", "--city", "320500"]
    assert "`make cities` first" in CliRunner().invoke(main, words, env=environment).output
    (tmp_path / "up").mkdir()
    printed(tmp_path / "up", OPERATOR)
    said = CliRunner().invoke(main, words, env=environment).output
    assert f"no city 320500 is up; there are: {OPERATOR.city} (--city)" in said
