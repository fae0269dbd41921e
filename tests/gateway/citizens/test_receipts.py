"""Receipts: a file that proves a promise by itself, whatever the scenario says today."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.commitments import Commitments
from gateway.jwk import parse_jwk, unb64url
from gateway.publication import publish
from gateway.store.migrate import Connection
from gateway.working_days import calendar
from scenarios.compiler import compile_scenario
from scenarios.manifest import text_sha256
from scenarios.registry import Registry
from tests.gateway.citizens.browser import Browser
from tests.gateway.citizens.signing import PATH, signed, with_phone
from tests.gateway.city import ENTITY, MERCHANT, TestCity


async def downloaded(browser: Browser, commitment: str, query: str = "") -> bytes:
    """The file as the browser would save it."""
    answer = await browser.get(f"{PATH}/{commitment}/receipt{query}")
    assert answer.status_code == 200, answer.text
    return answer.content


async def receipt(browser: Browser, commitment: str, query: str = "") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(await downloaded(browser, commitment, query))
    return document


def checked(file: bytes, folder: Path) -> subprocess.CompletedProcess[str]:
    """Do what the file says: its own commands, in a shell, with nothing else at hand."""
    (folder / "receipt").write_bytes(file)
    commands = json.loads(file.rstrip(b"\n").rpartition(b"\n")[2])["check"]["commands"]
    script = "set -e\n" + "\n".join(commands).replace("FILE", "receipt")
    return subprocess.run(
        ["/bin/sh", "-c", script], cwd=folder, capture_output=True, text=True, timeout=30
    )


async def test_a_stranger_gets_no_receipt(browser: Browser, other: Browser) -> None:
    nobodys = f"{PATH}/00000000-0000-0000-0000-000000000000/receipt"
    assert (await browser.get(nobodys)).status_code == 401
    phone = await with_phone(browser, "lin")
    assert (await browser.get(nobodys)).status_code == 404
    path = f"{PATH}/{(await signed(browser, phone))['id']}/receipt"
    await other.log_in("mei")
    assert (await other.get(path)).status_code == 404
    for query, status in (
        ("?format=html", 400),
        ("?version=0", 400),
        ("?version=x", 400),
        ("?version=99999999999", 400),
        ("?version=2", 404),
        ("?version=1", 200),
    ):
        assert (await browser.get(path + query)).status_code == status, query


async def test_it_is_a_file_to_keep(browser: Browser) -> None:
    phone = await with_phone(browser)
    path = f"{PATH}/{(await signed(browser, phone))['id']}/receipt"
    for query, media_type, suffix in (
        ("", "application/json", ".json"),
        ("?format=text", "text/plain; charset=utf-8", ".txt"),
    ):
        headers = (await browser.get(path + query)).headers
        assert headers["content-type"] == media_type
        assert headers["content-disposition"].startswith('attachment; filename="commitment-rent-2')
        assert headers["content-disposition"].endswith(f'-v1{suffix}"')
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("query", ["", "?format=text"])
async def test_the_file_alone_proves_the_promise(
    browser: Browser, tmp_path: Path, query: str
) -> None:
    phone = await with_phone(browser)
    made = await signed(browser, phone)
    done = checked(await downloaded(browser, made["id"], query), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(": ok") == 3


async def test_hash_and_signature_come_out_of_the_file_by_other_means(browser: Browser) -> None:
    phone = await with_phone(browser)
    made = await signed(browser, phone)
    file = await receipt(browser, made["id"])
    record = json.dumps(file["record"], separators=(",", ":"), ensure_ascii=False)
    hashed = hashlib.sha256((file["record_prefix"] + record).encode()).digest()
    assert file["record_sha256"] == hashed.hex()
    assert unb64url(file["receipt"]) == unb64url(made["receipt"]) == hashed
    text = hashlib.sha256(f"{file['template_version']}\n{file['text']['zh']}".encode())
    assert text.hexdigest() == file["text_sha256"] == file["claims"]["text_sha256"]
    signed_part, _, signature = file["jws"].rpartition(".")
    r, s = (int.from_bytes(half) for half in (unb64url(signature)[:32], unb64url(signature)[32:]))
    key = parse_jwk(json.dumps(file["device"]["jwk"]).encode()).public
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(encode_dss_signature(r, s), signed_part.encode(), ec.ECDSA(SHA256()))
    assert file["device"]["kid"] == phone.kid


def _at(*place: Any) -> Callable[[Any], None]:
    """Change what stands at a place of the file."""

    def change(file: Any) -> None:
        for step in place[:-1]:
            file = file[step]
        held = file[place[-1]]
        file[place[-1]] = held + 1 if isinstance(held, int) else f"{held}x"

    return change


def _text(file: Any) -> None:
    file["text"]["zh"] = "我承诺另一件事"
    file["text_sha256"] = text_sha256(file["template_version"], file["text"]["zh"]).hex()


def _signature(file: Any) -> None:
    head, payload, signature = file["jws"].split(".")
    file["jws"] = file["record"][9] = f"{head}.{payload}.{signature[:-4]}AAAA"


@pytest.mark.parametrize(
    "change",
    [
        *(_at("record", place) for place in range(13) if place != 4),
        *(_at("text", "zh"), _at("text_sha256"), _at("template_version"), _at("record_sha256")),
        *(_at("claims", "iat"), _at("claims", "subject"), _at("record_prefix")),
        *(_text, _signature),
    ],
)
async def test_a_file_that_was_altered_does_not_pass(
    browser: Browser, tmp_path: Path, change: Callable[[Any], None]
) -> None:
    phone = await with_phone(browser)
    file = await receipt(browser, (await signed(browser, phone))["id"])
    assert len(file["record"]) == 13
    change(file)
    done = checked(json.dumps(file).encode(), tmp_path)
    assert done.returncode != 0
    assert "DOES NOT PASS" in done.stdout


async def test_another_devices_key_does_not_pass_for_the_signers(
    browser: Browser, other: Browser, tmp_path: Path
) -> None:
    phone, theirs = await with_phone(browser, "lin"), await with_phone(other, "mei")
    file = await receipt(browser, (await signed(browser, phone))["id"])
    file["device"] |= {"jwk": theirs.jwk, "kid": theirs.kid}
    assert checked(json.dumps(file).encode(), tmp_path).returncode != 0


async def test_the_readable_file_says_what_was_promised_to_whom(
    browser: Browser, town: TestCity
) -> None:
    await town.party()
    phone = await with_phone(browser)
    made = await signed(browser, phone, MERCHANT)
    page = (await downloaded(browser, made["id"], "?format=text")).decode()
    manifest = town.city.registry["rent"].manifest
    assert manifest.commitment is not None
    for words in (manifest.commitment.zh, manifest.commitment.en, manifest.title.zh, ENTITY):
        assert words in page
    assert "有效 / in force" in page
    assert "{" not in page.rpartition("\n{")[0].replace("print(json.load", ""), "a place not filled"


async def test_each_version_has_a_receipt_of_its_own(browser: Browser, tmp_path: Path) -> None:
    phone = await with_phone(browser)
    made = await signed(browser, phone)
    before = await downloaded(browser, made["id"])
    taken_back = (await browser.post(f"{PATH}/{made['id']}/withdrawal")).json()
    newest = await receipt(browser, made["id"])
    assert (newest["status"], newest["receipt"]) == ("withdrawn", taken_back["receipt"])
    assert await downloaded(browser, made["id"], "?version=1") == before
    assert checked(json.dumps(newest).encode(), tmp_path).returncode == 0


def service(town: TestCity, registry: Registry) -> Commitments:
    """The service of a worker that was started with other scenarios."""
    city = town.city
    return Commitments(
        *(city.database, city.writer, registry, city.parties, city.pseudonyms),
        *(city.clock, city.ids),
    )


async def test_former_words_are_still_those_of_what_was_signed(
    browser: Browser, town: TestCity, owner: Connection, tmp_path: Path
) -> None:
    """The scenario's words change; the promise keeps its own, in the list and in the receipt."""
    today = town.city.registry
    manifest = today["rent"].manifest
    assert manifest.commitment is not None
    words = msgspec.structs.replace(
        manifest.commitment, version="0.9.0", zh="我承诺：旧的文本。", en="I promise: former words."
    )
    former = msgspec.structs.replace(manifest, commitment=words)
    old = Registry({**today, "rent": compile_scenario(former, calendar())})
    await publish(owner, old, "330100")
    phone = await with_phone(browser)
    town.city.commitments = service(town, old)
    made = await signed(browser, phone)
    await publish(owner, today, "330100")
    town.city.commitments = service(town, today)
    (listed,) = (await browser.get(PATH)).json()["commitments"]
    assert listed["text"] == made["text"] == {"zh": words.zh, "en": words.en}
    file = await downloaded(browser, made["id"])
    assert json.loads(file)["text"] == listed["text"]
    assert checked(file, tmp_path).returncode == 0


async def test_a_text_that_was_never_live_is_said_to_be_missing(
    browser: Browser, town: TestCity, owner: Connection
) -> None:
    phone = await with_phone(browser)
    made = await signed(browser, phone)
    await owner.execute("UPDATE commitment SET text_sha256 = sha256('x')")
    assert (await receipt(browser, made["id"]))["text"] is None
    assert "从未发布" in (await downloaded(browser, made["id"], "?format=text")).decode()
