"""Bringing the conventional service up beside a city: a database, a warm cache, a token."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

import asyncpg
import jwt
import msgspec
import redis
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.local.postgres import Postgres
from gateway.local.processes import answers, free_port
from gateway.store.migrate import OWNER, connected, create_database
from loadtest.peers.conventional.settings import CACHE_PREFIX, CACHE_TTL_S, SCOPE, Settings
from loadtest.peers.peer import HOST, ROOT, Site, Started, plan_at

DATABASE = "conventional"
PARTY = "bench-merchant"
NEEDED = ("fastapi", "sqlalchemy")

_PATH = "/v1/scenarios/rent/eligibility"
_APP = "loadtest.peers.conventional.app:app"
_ORDINARY = "known-only-to-the-database"  # so that the way past the cache is gone once


class Conventional:
    """FastAPI, SQLAlchemy, asyncpg, redis-py and PyJWT on uvicorn."""

    name = "conventional"
    what = (
        "FastAPI, SQLAlchemy 2 with asyncpg, redis-py, PyJWT on each request, uvicorn with uvloop"
        " and httptools. One committed INSERT per decision, synchronous_commit = on, and no group"
        " commit. Nothing is checked at the commit; no facts are sealed."
    )

    def missing(self) -> str:
        """Which packages are not there."""
        absent = [name for name in NEEDED if find_spec(name) is None]
        return f"not installed: {', '.join(absent)} (locks/bench.txt)" if absent else ""

    @contextmanager
    def start(self, site: Site) -> Iterator[Started]:
        """Serve it from a database of its own, dropped afterwards, with every citizen cached."""
        port, secret = free_port(HOST), ec.generate_private_key(ec.SECP256R1())
        settings = _settings(site, port, secret)
        asyncio.run(_create(site.postgres))
        try:
            _migrate(settings)
            asyncio.run(_people(site.postgres.url(OWNER, DATABASE), site.subjects))
            _warm(site.valkey.admin_url, site.subjects)
            with site.processes() as processes:
                child = processes.start(
                    self.name,
                    _command(port, site.workers),
                    environment={"PYTHONPATH": str(ROOT), **settings.environment()},
                    ready=answers(HOST, port, "/readyz"),
                )
                yield Started(
                    plan=plan_at(
                        port,
                        _PATH,
                        token=_token(settings.issuer, secret),
                        facts=_facts(),
                        subjects=site.subjects,
                    ),
                    roots={
                        "server": child.pid,
                        "postgres": site.postgres.pid,
                        "valkey": site.valkey.pid,
                    },
                    yes=b'"outcome":"eligible"',
                    ordinary=_ORDINARY,
                )
        finally:
            _forget(site.valkey.admin_url, site.subjects)
            asyncio.run(_drop(site.postgres))


def _command(port: int, workers: int) -> list[str]:
    return [
        *(sys.executable, "-m", "uvicorn", _APP, "--host", HOST, "--port", str(port)),
        *("--workers", str(workers), "--loop", "uvloop", "--http", "httptools"),
        *("--no-access-log", "--log-level", "warning"),
    ]


def _settings(site: Site, port: int, secret: ec.EllipticCurvePrivateKey) -> Settings:
    url = site.postgres.url(OWNER, DATABASE)
    public = secret.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return Settings(
        database_url=url.replace("postgresql://", "postgresql+asyncpg://", 1),
        valkey_url=site.valkey.admin_url,
        issuer=f"http://{HOST}:{port}",
        public_key=public.decode(),
    )


def _migrate(settings: Settings) -> None:
    """In a process of its own, so that nothing here needs the service's packages."""
    subprocess.run(
        [sys.executable, "-m", "loadtest.peers.conventional.schema"],
        env={"PYTHONPATH": str(ROOT), **settings.environment()},
        timeout=60,
        check=True,
    )


async def _people(url: str, subjects: tuple[str, ...]) -> None:
    rows = [(subject, _standing(4)) for subject in subjects] + [(_ORDINARY, _standing(2))]
    owner = await asyncpg.connect(url)
    try:
        await owner.copy_records_to_table("standing", records=rows, columns=("subject", "body"))
        await owner.execute("ANALYZE")
    finally:
        await owner.close(timeout=5)


def _warm(url: str, subjects: tuple[str, ...]) -> None:
    """A service that has been up for an hour has its citizens in the cache: so has this one."""
    body = _standing(4)
    with redis.Redis.from_url(url) as client, client.pipeline(transaction=False) as pipeline:
        for subject in subjects:
            pipeline.set(CACHE_PREFIX + subject, body, ex=CACHE_TTL_S)
        pipeline.execute()


def _forget(url: str, subjects: tuple[str, ...]) -> None:
    """Leave the cache to those who share it."""
    with redis.Redis.from_url(url) as client, client.pipeline(transaction=False) as pipeline:
        for subject in (*subjects, _ORDINARY):
            pipeline.unlink(CACHE_PREFIX + subject)
        pipeline.execute()


def _standing(band: int) -> str:
    now = datetime.now(UTC)
    consent = {
        "recipient": PARTY,
        "scenario": "rent",
        "status": "active",
        "since": now - timedelta(hours=1),
        "until": now + timedelta(days=1),
    }
    body = {"band": band, "waived_fen": 0, "commitments": ["rent"], "consents": [consent]}
    return msgspec.json.encode(body).decode()


def _facts() -> str:
    due = datetime.now(UTC) + timedelta(days=7)
    facts = {
        "deposit_fen": 20_000,
        "rent_fen_per_day": 500,
        "due_at": due.isoformat("T", "seconds"),
    }
    return msgspec.json.encode(facts).decode()


def _token(issuer: str, secret: ec.EllipticCurvePrivateKey) -> str:
    now = int(time.time())
    claims = {
        "iss": issuer,
        "aud": issuer,
        "sub": PARTY,
        "client_id": PARTY,
        "scope": SCOPE,
        "iat": now,
        "exp": now + 3600,
        "jti": uuid.uuid4().hex,
    }
    return jwt.encode(claims, secret, algorithm="ES256", headers={"typ": "at+jwt", "kid": "bench"})


async def _create(postgres: Postgres) -> None:
    async with connected(postgres.superuser_url) as superuser:
        await create_database(superuser, DATABASE)


async def _drop(postgres: Postgres) -> None:
    async with connected(postgres.superuser_url) as superuser:
        await superuser.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
