"""`qianjiang cities`: two cities come to an agreement by commands alone."""

from __future__ import annotations

import asyncio
import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.keys import load_keys
from gateway.recognition.entry import parse_entry
from gateway.store.migrate import Connection
from tests.gateway.cli.office import A, B, Listed, Office, in_thread, terms


def draft_of(office: Office, other: str, **changes: str) -> Path:
    path = office.folder / "draft.json"
    path.write_text(office.done("agreement", "draft", *terms(other, **changes)))
    return path


def says(office: Office, act: str, draft: Path, key: Path) -> str:
    return office.done("agreement", act, str(draft), "--key", str(key)).strip()


# ------------------------------------------------------------------ coming to an agreement


async def test_two_cities_agree_suspend_and_end_by_commands_alone(
    offices: tuple[Office, Office], listed: Listed
) -> None:
    a, b = offices
    people = {office: [office.operator(name) for name in ("li", "wang")] for office in offices}
    entries = [office.entry(*(public for _, public in people[office])) for office in offices]
    draft = draft_of(a, B)
    said = [says(office, "sign", draft, key) for office in offices for key, _ in people[office]]
    for count, expected in ((3, "a-b proposed"), (4, "a-b in_force")):
        await listed.publish(entries, {"a-b": said[:count]})
        terms = (await in_thread(a, "agreement", "show", "a-b")).output
        waits = f"waits for {B}: 1 more signature(s) of 示例-wang"
        assert (waits in terms) is (count == 3)
        assert f"waits for {A}" not in terms
        shown = await in_thread(a, "list")
        assert shown.exit_code == 0, shown.output
        assert expected in shown.output
    assert "this city" in shown.output
    told = await in_thread(a, "agreement", "show", "a-b")
    assert "a-b: in_force; 330100 and 330200; library; example-delta:1; 2020-01-01" in told.output
    assert told.output.count("示例-li") == 2
    missing = f"{A} has not admitted {B}, and says nothing of its citizens there"
    assert missing in told.output
    assert (await in_thread(a, "admit", B)).exit_code == 0
    assert missing not in (await in_thread(a, "agreement", "show", "a-b")).output
    for act, expected in (("suspend", "suspended"), ("end", "ended")):
        said += [says(b, act, draft, key) for key, _ in people[b]]
        await listed.publish(entries, {"a-b": said})
        assert f"a-b {expected}" in (await in_thread(a, "list")).output


async def test_a_listed_city_is_admitted_as_a_party_and_only_once(
    offices: tuple[Office, Office], listed: Listed, owner: Connection
) -> None:
    a, b = offices
    entries = [office.entry(*(office.operator(n)[1] for n in ("li", "wang"))) for office in offices]
    refused = await in_thread(a, "admit", B)
    assert "not in the region's list" in refused.output
    await listed.publish(entries, {})
    for _ in range(2):
        done = await in_thread(a, "admit", B)
        assert done.output == f"admitted {B} as party {B}\n"
    assert "this city itself" in (await in_thread(a, "admit", A)).output
    row = await owner.fetchrow(
        "SELECT p.id, p.kind, p.city, s.scenario, e.name, e.contact, e.id = s.recipient AS own"
        " FROM party p JOIN party_scenario s ON s.party = p.num"
        " JOIN legal_entity e ON e.id = p.entity"
    )
    assert row is not None
    contact = "示例：0571-00000000"
    assert tuple(row) == (B, "city", B, "recognition", "示例", contact, True)
    assert await owner.fetchval("SELECT count(*) FROM party_key") == 0
    assert b.environment["QIANJIANG_CITY"] == B


async def test_a_city_whose_code_another_one_has_is_told_so_and_admits_not_itself(
    offices: tuple[Office, Office], listed: Listed
) -> None:
    a, b = offices
    own, theirs = (
        office.entry(*(office.operator(n)[1] for n in ("li", "wang"))) for office in offices
    )
    await listed.publish([own, theirs], {})
    assert "ATTENTION" not in (await in_thread(a, "list")).output
    b.environment["QIANJIANG_CITY"] = A
    stolen = b.entry(*(b.folder / f"{name}.json" for name in ("li", "wang")))
    await listed.publish([stolen], {})
    told = (await in_thread(a, "list")).output
    assert "another city under this city's code" in told
    assert f"ATTENTION: {A} in the list is another city, 示例 at https://{B}.example" in told
    assert "region admit --replace" in told
    a.environment |= {"QIANJIANG_CITY": B, "QIANJIANG_ISSUER": f"https://{B}.example"}
    refused = await in_thread(a, "admit", A)
    assert refused.exit_code == 1
    assert f"{A} in the region's list is this city itself" in refused.output
    told = (await in_thread(a, "list")).output
    assert "this city's address" in told
    assert f"{B}, this city, is not in the list" in told


async def test_who_waits_is_served_once_the_list_has_it_and_else_told_what_is_missing(
    offices: tuple[Office, Office], listed: Listed
) -> None:
    a, _ = offices
    people = {office: [office.operator(name) for name in ("li", "wang")] for office in offices}
    entries = [office.entry(*(public for _, public in people[office])) for office in offices]
    draft = draft_of(a, B)
    said = [says(office, "sign", draft, key) for office in offices for key, _ in people[office]]
    began = time.monotonic()
    assert "not in the region's list" in (await in_thread(a, "admit", B, "--wait", "0.6")).output
    assert time.monotonic() - began > 0.6
    waiting = asyncio.create_task(in_thread(a, "admit", B, "--wait", "30"))
    await asyncio.sleep(0.5)
    await listed.publish(entries, {"a-b": said[:3]})
    assert f"admitted {B}" in (await waiting).output
    showing = asyncio.create_task(in_thread(a, "agreement", "show", "a-b", "--wait", "30"))
    await asyncio.sleep(1)
    assert not showing.done(), "three signatures are not four"
    await listed.publish(entries, {"a-b": said})
    assert "a-b: in_force" in (await showing).output
    shown = a.run("agreement", "show", "a-b", "--wait", "601")
    assert "0<=x<=600" in shown.output


async def test_a_city_registered_under_another_name_keeps_it(
    offices: tuple[Office, Office], listed: Listed, owner: Connection
) -> None:
    a, b = offices
    await listed.publish([b.entry(*(b.operator(n)[1] for n in ("li", "wang")))], {})
    await owner.execute("INSERT INTO legal_entity (id, name, contact) VALUES ('ent', 'x', 'x')")
    await owner.execute(
        "INSERT INTO party (id, entity, kind, name, city) VALUES ('old', 'ent', 'city', 'x', $1)", B
    )
    assert (await in_thread(a, "admit", B)).output == f"admitted {B} as party old\n"
    assert await owner.fetchval("SELECT name FROM legal_entity") == "示例"
    assert await owner.fetchval("SELECT scenario FROM party_scenario") == "recognition"


def test_a_database_that_is_away_is_named_by_its_place_and_not_by_its_password(
    offices: tuple[Office, Office],
) -> None:
    a, _ = offices
    for url, place in (
        (
            "postgresql://o:hidden-word@/db?host=/nowhere/run&port=5999",
            "/nowhere/run/.s.PGSQL.5999",
        ),
        ("postgresql://o:hidden-word@127.0.0.1:1/db", "127.0.0.1:1"),
    ):
        done = a.run("admit", B, QIANJIANG_OWNER_URL=url)
        assert done.exit_code == 1
        assert f"cannot connect to the database at {place}: " in done.output
        assert "Is the city up? On one machine: `make up`, or `make cities`" in done.output
        assert "hidden-word" not in done.output


def test_an_entry_is_one_that_others_take(offices: tuple[Office, Office]) -> None:
    a, _ = offices
    people = [a.operator(name) for name in ("li", "wang")]
    city = parse_entry(a.entry(*(public for _, public in people)).encode())
    keyring = load_keys(a.keys)
    assert {kid for purpose, kid in city.keys if purpose == "grant"} == keyring.city_grant.keys()
    assert city.entry.redirect_uris == ("https://330100.example/recognition/callback",)
    assert sorted(city.signers.values()) == ["示例-li", "示例-wang"]
    assert '"d"' not in a.entry(*(public for _, public in people))


async def test_a_scheme_is_published_once_and_its_faults_are_named(
    offices: tuple[Office, Office], owner: Connection
) -> None:
    a, _ = offices
    await owner.execute("INSERT INTO realm (city) VALUES ($1)", A)
    seed = Path(__file__).parents[3] / "seeds" / "schemes" / "example-delta-1.toml"
    for _ in range(2):
        done = await in_thread(a, "scheme", str(seed))
        assert done.output.startswith("example-delta version 1 is published, from ")
    broken = a.folder / "broken.toml"
    broken.write_text(seed.read_text().replace("version = 1", "version = 0"))
    refused = await in_thread(a, "scheme", str(broken))
    assert refused.exit_code == 1
    assert f"{broken}:" in refused.output
    assert "version" in refused.output
    elsewhere = a.folder / "elsewhere.toml"
    elsewhere.write_text("[[persona]]\nlogin = 'lin'\n")
    refused = await in_thread(a, "scheme", str(elsewhere))
    assert f"{elsewhere}:1: (file): This is no scheme: it has none of cities" in refused.output
    other = a.folder / "other.toml"
    other.write_text(seed.read_text() + "# another text\n")
    refused = await in_thread(a, "scheme", str(other))
    assert refused.exit_code == 1
    assert "a version never changes" in refused.output.replace("\n", " ")
    assert await owner.fetchval("SELECT count(*) FROM recognition_scheme") == 1


# ------------------------------------------------------------------ an operator's key


def test_an_operators_private_key_goes_to_its_file_alone(offices: tuple[Office, Office]) -> None:
    a, _ = offices
    private, public = a.operator("li")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert '"d"' in private.read_text()
    assert '"d"' not in public.read_text()
    again = a.run("operator-key", str(private), "--name", "x")
    assert again.exit_code == 1
    assert "never replaced" in again.output
    nowhere = a.run("operator-key", str(a.folder / "none" / "x.jwk"), "--name", "x")
    assert nowhere.exit_code == 1
    assert "name a file in a folder that there is" in nowhere.output


def test_nobody_signs_with_a_key_that_others_can_read(offices: tuple[Office, Office]) -> None:
    a, _ = offices
    private, public = a.operator("li")
    draft = draft_of(a, B)
    private.chmod(0o640)
    refused = a.run("agreement", "sign", str(draft), "--key", str(private))
    assert refused.exit_code == 1
    assert "chmod 600" in refused.output
    for mode in (0o644, 0o600):
        public.chmod(mode)
        refused = a.run("agreement", "sign", str(draft), "--key", str(public))
        assert "is the public part of a key" in refused.output
        assert "chmod" not in refused.output
    refused = a.run("agreement", "sign", str(draft), "--key", str(draft))
    assert "operator-key` makes one" in refused.output


# ------------------------------------------------------------------ what is said wrongly


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"with": A}, "--with 330100: that is this city itself"),
        ({"with": "3302"}, "--with 3302: a city's six digits"),
        ({"scenario": "parking"}, "there are: hospital, library"),
        ({"scheme": "example-delta"}, "--scheme example-delta: an id and a version"),
        ({"scheme": "example-delta:x"}, "an id and a version"),
        ({"to": "2020-01-01"}, "later than `from`"),
        ({"to": "soon"}, "--to"),
        ({"to": "2021-01-01"}, "to: 2021-01-01 is over"),
        ({"id": "A B"}, "--id A B: 3 to 64 small letters, digits and hyphens"),
    ],
)
def test_terms_that_cannot_be_signed_are_refused_by_name(
    offices: tuple[Office, Office], changes: dict[str, str], said: str
) -> None:
    refused = offices[0].run("agreement", "draft", *terms(B, **changes))
    assert refused.exit_code != 0
    assert isinstance(refused.exception, SystemExit)
    assert said in refused.output.splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cities": [B, A]}, "the lower one first"),
        ({"cities": ["330300", "330400"]}, "it is between 330300 and 330400"),
        ({"to": "2019-01-01"}, "later than `from`"),
        ({"to": "2021-01-01"}, "to: 2021-01-01 is over"),
        ({"to": 7}, "to: a day such as 2026-01-31 is wanted"),
        ({"more": 1}, "more: not known here"),
        ({"region": "https://other.example"}, "is for https://other.example, and this city's"),
    ],
)
def test_a_draft_that_was_altered_badly_is_not_signed(
    offices: tuple[Office, Office], change: dict[str, Any], said: str
) -> None:
    a, _ = offices
    private, _ = a.operator("li")
    draft = draft_of(a, B)
    draft.write_text(json.dumps(json.loads(draft.read_text()) | change))
    refused = a.run("agreement", "sign", str(draft), "--key", str(private))
    assert refused.exit_code == 1
    assert said in refused.output.splitlines()[-1]


def test_a_draft_that_reads_otherwise_than_it_would_be_signed_is_not_signed(
    offices: tuple[Office, Office],
) -> None:
    """Of a member that comes twice people read the first."""
    a, _ = offices
    private, _ = a.operator("li")
    draft = draft_of(a, B)
    text = draft.read_text().rstrip().removesuffix("}")
    draft.write_text(text + ',\n"scenarios": ["library", "rent"]}')
    refused = a.run("agreement", "sign", str(draft), "--key", str(private))
    assert refused.exit_code == 1
    assert "a member twice" in refused.output.splitlines()[-1]


@pytest.mark.parametrize(
    "variable",
    ["QIANJIANG_CITY", "QIANJIANG_ISSUER", "QIANJIANG_KEYS_FILE", "QIANJIANG_CITY_CONTACT"],
)
def test_what_is_not_set_is_named(offices: tuple[Office, Office], variable: str) -> None:
    a, _ = offices
    _, public = a.operator("li")
    a.environment[variable] = ""
    words = "--name-zh", "x", "--name-en", "x", "--scenario", "rent", "--scheme", "abc:1"
    refused = a.run("entry", *words, "--operator", str(public))
    assert refused.exit_code == 1
    assert refused.output.startswith(f"Error: set {variable} (or --")


def test_an_entry_that_others_would_refuse_is_not_printed(offices: tuple[Office, Office]) -> None:
    a, _ = offices
    _, public = a.operator("li")
    words = "--name-zh", "x", "--name-en", "x", "--scenario", "rent", "--scheme", "abc:1"
    other = a.folder / "other.json"
    other.write_text(public.read_text().replace("示例-li", "示例-wang"))
    namesake = a.folder / "namesake.json"
    namesake.write_text(a.operator("wang")[1].read_text().replace("示例-wang", " 示例-LI "))
    for operators, said in (
        ([public], "two people at least sign"),
        ([public, public], "two people at least sign"),
        ([public, other], f"the key is that of {public} already"),
        ([public, namesake], f"is that of {public} already"),
    ):
        named = [word for path in operators for word in ("--operator", str(path))]
        refused = a.run("entry", *words, *named)
        assert refused.exit_code == 1
        assert said in refused.output
    broken = a.folder / "broken.json"
    for text, said in (("{}", "name is missing"), ("", "is empty"), ('{"name": 7}', "a text is")):
        broken.write_text(text)
        refused = a.run("entry", *words, "--operator", str(broken))
        assert f"{broken}" in refused.output
        assert said in refused.output
    private = a.folder / "li.jwk"
    broken.write_text(json.dumps({"name": "x", "jwk": json.loads(private.read_text())}))
    for path in (broken, private):
        told = a.run("entry", *words, "--operator", str(path)).output
        assert f"{path} is a private key, which is never sent" in told
    nowhere = a.run("entry", *words[:-4], "--scenario", "x", *words[-2:], "--operator", str(public))
    assert "--scenario x: there is none; there are: hospital, library" in nowhere.output


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u3164", "\ufe0f\u2800", "a\nb", "x" * 201])
def test_an_operators_name_can_be_read(offices: tuple[Office, Office], name: str) -> None:
    a, _ = offices
    refused = a.run("operator-key", str(a.folder / "new.jwk"), "--name", name)
    assert refused.exit_code == 1
    assert "--name: " in refused.output
    assert not (a.folder / "new.jwk").exists()


def test_without_a_list_the_remedy_is_named(offices: tuple[Office, Office]) -> None:
    a, _ = offices
    for words in (("list",), ("agreement", "show")):
        refused = a.run(*words)
        assert refused.exit_code == 1
        assert "is `qianjiang worker` running" in refused.output
    a.environment["QIANJIANG_TRUST_LIST_KEYS"] = str(a.folder / "absent.json")
    assert "ask the region for it" in a.run("list").output
