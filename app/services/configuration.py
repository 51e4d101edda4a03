"""The configuration in force: one document, the same for every replica, replaced without a restart and never by a bad one."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.config.alike import promise_the_same
from app.config.check import Checked, check
from app.config.compile import Loaded
from app.config.findings import Finding
from app.errors import Conflict, Fault, InvalidConfiguration, PreconditionFailed, PreconditionRequired, Unavailable
from app.rules.policy import Book
from app.store import audit, config_revisions
from app.store.config_revisions import Revision
from app.store.database import Connection, Database
from app.telemetry import logs, metrics
from app.timesource import Now

log = logs.get_logger(__name__)

FROM_FILE: Final = "file"
"""The author of a revision that was read from the configuration file."""
_STARTER: Final = "slawatch"
_TRIES: Final = 5
_ETAGS: Final = re.compile(r'(?:W/)?"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Current:
    """The revision in force, compiled. `text` is the document as it was written; `etag` its SHA-256, hexadecimal."""

    revision: int
    etag: str
    text: str
    loaded: Loaded
    book: Book
    judges_as: int
    """The revision that tickets are judged by: the first of those in a row, up to the one in force, that promise the same."""
    public_url: str | None = None
    """How others reach this service; None: links are left out of messages."""


class LiveConfig:
    """Holds the revision in force for one process. `current` is replaced as a whole; whoever keeps it keeps one consistent view."""

    def __init__(self, db: Database, now: Now, environ: Mapping[str, str], base: Path, *, public_url: str | None = None) -> None:
        self._db, self._now, self._environ, self._base, self._public_url = db, now, environ, base, public_url
        self._current: Current | None = None
        self._listeners: list[Callable[[Current], None]] = []

    @property
    def current(self) -> Current:
        """What holds now. RuntimeError before `start`."""
        if self._current is None:
            raise RuntimeError("The configuration is not loaded yet: await start() first.")
        return self._current

    def on_change(self, callback: Callable[[Current], None]) -> None:
        """Have `callback` called, on the event loop, each time another revision has come into force."""
        self._listeners.append(callback)

    async def start(self, file: Path | None) -> None:
        """Load what is stored; import `file` when it says something else than the last time it was imported.

        Without a file and without a stored revision the empty document (the starter policy) becomes revision 1. InvalidConfiguration
        when what should come into force has errors; each names file, line and column.
        """
        text = await asyncio.to_thread(_read, file) if file is not None else None
        for _ in range(_TRIES):
            try:
                self._take(*await self._choose(file, text))
                return
            except Conflict:  # another replica that starts at the same moment was first: take what it has stored
                continue
        raise Unavailable("Other processes keep storing configurations while this one starts; start it again.")

    async def check(self, text: str, *, file: str = "document") -> Checked:
        """Everything that can be said about a document; nothing is stored."""
        return await self._check(text, file)

    async def put(self, text: str, *, author: str, if_match: str | None, dry_run: bool = False) -> Current:
        """Make `text` the next revision, and what holds. The same text again changes nothing.

        `if_match` is an If-Match header: the ETag the author has seen, or `*`. PreconditionRequired without one, PreconditionFailed when
        another revision holds, InvalidConfiguration with every finding. `dry_run`: only says what would come.
        """
        await self.refresh()
        self._require(if_match)
        loaded = _valid(await self._check(text, "document"))
        if text == self.current.text:
            return self.current
        if dry_run:
            number = self.current.revision + 1
            return self._as_current(number, etag_of(text), text, loaded, number)
        revision = await self._store(text, author=author, note=None, after=self.current.revision)
        return self._take(revision, loaded)

    async def refresh(self) -> bool:
        """Take over what another replica has stored. True when another revision has come into force.

        A revision that cannot be loaded here (a secret is missing on this machine) leaves the one before in force, and shows in the metric.
        """
        async with self._db.read() as conn:
            if await config_revisions.newest_number(conn) <= self.current.revision:
                return False
            newest = await config_revisions.newest(conn)
        if newest is None:
            return False
        try:
            loaded = _valid(await self._check(newest.body, f"revision {newest.number}"))
        except InvalidConfiguration as error:
            metrics.CONFIG_RELOADED.set(0)
            fields = {"event": "config.refused", "revision": newest.number, "faults": [fault.detail for fault in error.errors]}
            log.error("The newest configuration cannot be loaded here; the one before stays in force.", extra=fields)
            return False
        if newest.number > self.current.revision:
            self._take(newest, loaded)
        return True

    async def _choose(self, file: Path | None, text: str | None) -> tuple[Revision, Loaded]:
        """What comes into force at the start. Conflict when another replica was first to store it."""
        async with self._db.read() as conn:
            newest = await config_revisions.newest(conn)
            imported = await config_revisions.newest(conn, author=FROM_FILE)
        if file is not None and text is not None and (imported is None or imported.body != text):
            loaded = _valid(await self._check(text, str(file)), str)
            return await self._store(text, author=FROM_FILE, note=f"imported from {file.name}"), loaded
        if newest is None:
            loaded = _valid(await self._check("", "the built-in document"), str)
            return await self._store("", author=_STARTER, note="the built-in starter policy"), loaded
        return newest, _valid(await self._check(newest.body, f"revision {newest.number}"), str)

    async def _check(self, text: str, file: str) -> Checked:
        today = self._now().date()
        return await asyncio.to_thread(check, text, file=file, environ=self._environ, base=self._base, today=today)

    async def _store(self, text: str, *, author: str, note: str | None, after: int | None = None) -> Revision:
        """Store the next revision; PreconditionFailed when it would not follow `after` (None: whatever is newest)."""
        async with self._db.read() as conn:
            former = await config_revisions.newest(conn)
        alike = former is not None and await asyncio.to_thread(promise_the_same, former.body, text)
        async with self._db.begin() as conn:
            number = await config_revisions.newest_number(conn)
            if after is not None and number != after:
                raise _stale()
            judges_as = former.judges_as or number if former is not None and alike and former.number == number else number + 1
            revision = Revision(number + 1, text, etag_of(text), author, note, self._now(), judges_as)
            await self._add(conn, revision)
        return revision

    async def _add(self, conn: Connection, revision: Revision) -> None:
        if not await config_revisions.add(conn, revision):
            raise Conflict("Another revision was stored at the same moment; try again.")
        await audit.record(conn, revision.created_at, revision.author, "config.stored", str(revision.number), {"etag": revision.etag})

    def _require(self, if_match: str | None) -> None:
        if if_match is None:
            raise PreconditionRequired("Say with If-Match which revision you have seen: its ETag is in GET /v1/config.")
        if not names(if_match, self.current.etag):
            raise _stale()

    def _as_current(self, number: int, etag: str, text: str, loaded: Loaded, judges_as: int) -> Current:
        return Current(number, etag, text, loaded, loaded.book(judges_as), judges_as, self._public_url)

    def _take(self, revision: Revision, loaded: Loaded) -> Current:
        number = revision.number
        self._current = self._as_current(number, revision.etag, revision.body, loaded, revision.judges_as or number)
        metrics.CONFIG_RELOADED.set(1)
        metrics.CONFIG_REVISION.set(revision.number)
        log.info("Configuration in force.", extra={"event": "config.loaded", "revision": revision.number, "author": revision.author})
        for listener in self._listeners:
            listener(self._current)
        return self._current


def names(header: str, etag: str) -> bool:
    """Whether an If-Match or If-None-Match header names this ETag (given without quotes); `*` names any."""
    return header.strip() == "*" or etag in _ETAGS.findall(header)


def etag_of(text: str) -> str:
    """The ETag of a document (without quotes): the SHA-256 of its UTF-8 bytes, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _located(finding: Finding) -> str:
    return f"{finding.line}:{finding.column} {finding.code} {finding.message}"


def _valid(checked: Checked, say: Callable[[Finding], str] = _located) -> Loaded:
    """The loaded document. InvalidConfiguration with every error, each in the words of `say`."""
    if checked.loaded is None:
        faults = [Fault("", say(finding)) for finding in checked.findings if finding.severity == "error"]
        raise InvalidConfiguration("The configuration document has errors.", errors=faults)
    return checked.loaded


def _stale() -> PreconditionFailed:
    return PreconditionFailed("The configuration has changed since you read it; read it again and repeat your change.")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidConfiguration(f"{file} is not UTF-8: {error.reason} at byte {error.start}.") from error
    except OSError as error:
        raise InvalidConfiguration(f"{file} cannot be read: {error.strerror}.") from error
