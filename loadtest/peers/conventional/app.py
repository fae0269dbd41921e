"""The application: `uvicorn loadtest.peers.conventional.app:app`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import uuid4

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from redis.asyncio import Redis
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from gateway.processes import die_with_parent
from loadtest.peers.conventional.rules import (
    Answer,
    Freshness,
    Obligation,
    Policy,
    Question,
    Standing,
    decide,
)
from loadtest.peers.conventional.schema import DecisionRow, StandingRow
from loadtest.peers.conventional.settings import CACHE_PREFIX, CACHE_TTL_S, SCOPE, Settings

VALID = timedelta(seconds=60)

_bearer = HTTPBearer()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Pools that live as long as the worker; they are handed to requests as their state."""
    die_with_parent()
    settings = Settings.of_environment()
    engine = create_async_engine(settings.database_url, pool_size=settings.pool, max_overflow=0)
    cache = Redis.from_url(settings.valkey_url)
    yield {
        "settings": settings,
        "sessions": async_sessionmaker(engine, expire_on_commit=False),
        "cache": cache,
    }
    await cache.aclose()
    await engine.dispose()


app = FastAPI(lifespan=lifespan, openapi_url=None)


async def party_of(
    request: Request, sent: Annotated[HTTPAuthorizationCredentials, Depends(_bearer)]
) -> str:
    """The party of a valid access token with the scope that is asked for."""
    settings: Settings = request.state.settings
    try:
        claims = jwt.decode(
            sent.credentials,
            settings.public_key,
            algorithms=["ES256"],
            issuer=settings.issuer,
            audience=settings.issuer,
            options={"require": ["exp", "iat", "sub"]},
        )
    except jwt.InvalidTokenError:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None
    if SCOPE not in claims.get("scope", "").split():
        raise HTTPException(403)
    party: str = claims["sub"]
    return party


async def session_of(request: Request) -> AsyncIterator[AsyncSession]:
    """A session of the pool, for one request."""
    async with request.state.sessions() as session:
        yield session


async def cache_of(request: Request) -> Redis:
    """The worker's cache client."""
    cache: Redis = request.state.cache
    return cache


Party = Annotated[str, Depends(party_of)]
Session = Annotated[AsyncSession, Depends(session_of)]
Cache = Annotated[Redis, Depends(cache_of)]


@app.get("/readyz")
async def ready(session: Session) -> dict[str, str]:
    """Whether the database answers."""
    await session.execute(select(1))
    return {"status": "ready"}


@app.post("/v1/scenarios/rent/eligibility")
async def eligibility(question: Question, party: Party, session: Session, cache: Cache) -> Answer:
    """Decide, record, and answer once the record is durable."""
    standing = await _standing(question.subject, session, cache)
    now = datetime.now(UTC)
    decision = DecisionRow(
        id=uuid4(),
        party=party,
        subject=question.subject,
        outcome=decide(standing, question.facts, party, now),
        valid_until=now + VALID,
        facts=question.facts.model_dump(mode="json"),
    )
    session.add(decision)
    await session.commit()
    return Answer(
        decision_id=decision.id,
        outcome=decision.outcome,  # type: ignore[arg-type]  # one of the two
        obligations=OBLIGATIONS,
        valid_until=decision.valid_until,
        policy=POLICY,
        freshness=Freshness(decided_at=now),
    )


async def _standing(subject: str, session: AsyncSession, cache: Redis) -> Standing:
    """From the cache, or from the database and then into the cache; nobody's is an empty one."""
    key = CACHE_PREFIX + subject
    if (kept := await cache.get(key)) is not None:
        return Standing.model_validate_json(kept)
    body = await session.scalar(select(StandingRow.body).where(StandingRow.subject == subject))
    standing = Standing.model_validate(body or {})
    await cache.set(key, standing.model_dump_json(), ex=CACHE_TTL_S)
    return standing


POLICY = Policy(scenario="rent", revision="JF1qUdlT3eMEViTDY4l8Z0yVjW8ivcXBD1A0QNwmLHg")
OBLIGATIONS = [
    Obligation(
        id="no_deposit",
        zh="不收取押金，也不以其他名义收取类似费用。",
        en="Takes no deposit, and nothing like it under another name.",
    ),
    Obligation(
        id="liability_cap",
        zh="损坏或遗失时，免押金部分的赔偿以免交的押金为限。",
        en="Claims for damage or loss no more than the waived deposit.",
    ),
    Obligation(
        id="answer_only_for_this",
        zh="答案只用于本次租借，不另作他用，不转给他人。",
        en="Uses the answer for this rental only, and passes it to nobody.",
    ),
]
