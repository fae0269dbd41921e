"""Its two tables. `python -m loadtest.peers.conventional.schema` makes them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import DateTime, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from loadtest.peers.conventional.settings import Settings


class Base(DeclarativeBase):
    """The tables of the service."""


class StandingRow(Base):
    """All that decisions read of a citizen, as JSON."""

    __tablename__ = "standing"

    subject: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)


class DecisionRow(Base):
    """One answer: who asked, about whom, with which facts, and what it was."""

    __tablename__ = "decision"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    party: Mapped[str]
    subject: Mapped[str]
    outcome: Mapped[str]
    valid_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)


async def create(settings: Settings) -> None:
    """What the first migration would do."""
    engine = create_async_engine(settings.database_url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(create(Settings.of_environment()))
