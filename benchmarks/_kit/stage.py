"""Databases and processes for a benchmark: real files, fsync on, the service as anybody would start it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import psutil

from app.cli import _collector
from app.cli._demo.service import Child, address
from app.settings import environment
from tests.support.postgres import Postgres

T = TypeVar("T")
KEY: Final = "slaw_a_for-benchmarks-only-and-long-enough-to-be-accepted"
DURABLE: Final = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "wal_level": "replica",
}
"""What a careful operator's PostgreSQL has, against the settings of the tests, which forget everything at a power cut."""


@contextmanager
def database(db: str) -> Iterator[str]:
    """The URL of an empty database on disk, gone afterwards."""
    if db == "sqlite":
        with tempfile.TemporaryDirectory(prefix="slawatch-bench-") as folder:
            yield f"sqlite:///{folder}/bench.db"
    else:
        with server() as postgres:
            yield postgres.url(postgres.create())


@contextmanager
def server() -> Iterator[Postgres]:
    """A PostgreSQL with its data on disk, gone afterwards."""
    postgres = Postgres(DURABLE)
    try:
        yield postgres
    finally:
        postgres.stop()


@dataclass(frozen=True)
class Served:
    """A process that answers HTTP."""

    host: str
    port: int
    process: psutil.Process

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def memory(self) -> float:
        """Resident megabytes."""
        return float(self.process.memory_info().rss) / 1e6

    def seconds(self) -> float:
        """Processor time so far, user and system."""
        used = self.process.cpu_times()
        return float(used.user + used.system)


@asynccontextmanager
async def service(url: str, document: str, *, role: str = "all", environ: Mapping[str, str] | None = None) -> AsyncIterator[Served]:
    """`slawatch serve` on a free port of loopback; a worker, which has no routes but its health, as well."""
    with tempfile.TemporaryDirectory(prefix="slawatch-bench-") as folder:
        config = Path(folder) / "slawatch.yaml"
        config.write_text(document)
        arguments = ["-m", "app.cli", "serve", "--port", "0", "--role", role, "--config", str(config), "--database-url", url]
        async with child(arguments, Path(folder), {"SLAWATCH_ADMIN_KEY": KEY, **(environ or {})}) as served:
            yield served


@asynccontextmanager
async def anchor(name: str, *arguments: str) -> AsyncIterator[Served]:
    """One of the anchors of `benchmarks._kit.anchors`."""
    with tempfile.TemporaryDirectory(prefix="slawatch-bench-") as folder:
        async with child(["-m", "benchmarks._kit.anchors", name, *arguments], Path(folder), {}) as served:
            yield served


def as_service(work: Coroutine[Any, Any, T]) -> T:
    """Run something with the parts of the service in this process, whose garbage is collected as the service's is."""

    async def begun() -> T:
        _collector.begin()
        return await work

    return asyncio.run(begun())


@asynccontextmanager
async def child(arguments: list[str], folder: Path, environ: Mapping[str, str]) -> AsyncIterator[Served]:
    """`python ARGUMENTS`, until it says where it listens, and stopped afterwards."""
    inherited = {name: value for name, value in environment().items() if not name.startswith("SLAWATCH_") or name == "SLAWATCH_COMPILED"}
    log = folder / "child.log"
    started = await Child.start(arguments, {**inherited, **environ}, log)
    try:
        url = await address(started, log)
        assert started.process.stdout is not None
        drain = asyncio.create_task(started.process.stdout.read())
        host, _, port = url.removeprefix("http://").partition(":")
        yield Served(host, int(port), psutil.Process(started.process.pid))
    finally:
        await started.stop()
    await drain
