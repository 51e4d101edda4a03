"""The servers we measure ourselves against, run as `python -m benchmarks._kit.anchors NAME [URL]`.

`echo`: FastAPI with one route that reads the body and answers 202, under the same uvicorn, event loop and parser as the service: what is
left when nothing is done. `naive URL`: what most people write first: declared body model, one session and one commit for each request.
"""

import asyncio
import gc
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI, Request, Response
from sqlalchemy import DateTime, Text, event
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.cli._one_write import OneWrite

PATH = "/hook"


def echo() -> FastAPI:
    """Reads and answers."""
    app = FastAPI()

    @app.post(PATH)
    async def hook(request: Request) -> Response:
        await request.body()
        return Response(b'{"outcome":"applied"}', 202, media_type="application/json")

    return app


class _Base(DeclarativeBase):
    pass


class _Event(_Base):
    __tablename__ = "naive_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    ticket: Mapped[str] = mapped_column(Text, index=True)
    body: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


def naive(url: str) -> FastAPI:
    """One ORM transaction for each request, as durable as ours (SQLite: WAL, FULL)."""
    engine = _engine(url)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(_Base.metadata.create_all)
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.post(PATH, status_code=202)
    async def hook(body: dict[str, Any]) -> dict[str, str]:
        async with sessions() as session, session.begin():
            session.add(_Event(ticket=str(body["detail"]["id"]), body=str(body), received_at=datetime.now(UTC)))
        return {"outcome": "applied"}

    return app


def _engine(url: str) -> AsyncEngine:
    if url.startswith("sqlite"):
        engine = create_async_engine(url.replace("sqlite://", "sqlite+aiosqlite://", 1), pool_size=1, max_overflow=0)

        @event.listens_for(engine.sync_engine, "connect")
        def prepare(connection: Any, _: object) -> None:
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.close()

        return engine
    return create_async_engine("postgresql+asyncpg://", connect_args={"dsn": url}, pool_size=8, max_overflow=0)


class _Server(uvicorn.Server):
    """uvicorn that says where it listens, and treats its garbage as the service does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        assert sockets is not None
        host, port = sockets[0].getsockname()
        print(f"listens on http://{host}:{port}", flush=True)


async def _serve(app: FastAPI) -> None:
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, proxy_headers=False, ws="none", http=OneWrite)
    await _Server(config).serve(sockets=[socket.create_server(("127.0.0.1", 0))])


def main(name: str, *arguments: str) -> None:
    apps: dict[str, Callable[..., FastAPI]] = {"echo": echo, "naive": naive}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(apps[name](*arguments)))


if __name__ == "__main__":
    main(*sys.argv[1:])
