"""API keys: who calls, and what they may do.

A key reads `slaw_<letter>_<43 characters>`; the letter names the scope. Only its SHA-256 is stored, the key itself is shown once.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from app.errors import InvalidBody, KeyNotFound
from app.ids import KEY, new_id
from app.store import audit
from app.store import keys as stored
from app.store.database import Database
from app.store.keys import KeyRow
from app.timesource import Now

Scope = Literal["ingest", "read", "operate", "admin"]

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
INCLUDES: Final[dict[Scope, frozenset[Scope]]] = {
    "ingest": frozenset({"ingest"}),
    "read": frozenset({"read"}),
    "operate": frozenset({"operate", "read"}),
    "admin": frozenset(SCOPES),
}
"""What a key of each scope may do."""

FRESH: Final = timedelta(seconds=3)
"""How long a looked-up key is believed: a revoked one stops within this time on every replica."""
USE_EVERY: Final = timedelta(minutes=1)
"""`last_used_at` is written at most this often for each key."""

_CACHED: Final = 1024
_HINT: Final = 10
_MAX_CHARACTERS: Final = 200
_ENVIRONMENT: Final = "environment"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who has authenticated. `key_id` None: the key of the environment (SLAWATCH_ADMIN_KEY)."""

    name: str
    scope: Scope
    key_id: str | None

    def may(self, scope: Scope) -> bool:
        """Whether the key's scope includes this one."""
        return scope in INCLUDES[self.scope]


@dataclass(slots=True)
class _Known:
    key: KeyRow | None
    until: datetime


@dataclass(slots=True)
class KeyRing:
    """Recognises keys; remembers for a moment what the database said. One per process."""

    db: Database
    now: Now
    admin_key: str | None = None
    _known: OrderedDict[str, _Known] = field(default_factory=OrderedDict)
    _written: dict[str, datetime] = field(default_factory=dict)
    _used: dict[str, datetime] = field(default_factory=dict)

    async def authenticate(self, token: str) -> Caller | None:
        """Whose key this is; None when it is unknown, expired or revoked."""
        if not 0 < len(token) <= _MAX_CHARACTERS:
            return None
        digest = digest_of(token)
        if self.admin_key is not None and hmac.compare_digest(digest, digest_of(self.admin_key)):
            return Caller(_ENVIRONMENT, "admin", None)
        at = self.now()
        key = await self._lookup(digest, at)
        if key is None or not _holds(key, at):
            return None
        if key.id not in self._written or at - self._written[key.id] >= USE_EVERY:
            self._used[key.id] = at
        return Caller(key.name, _scope(key.scope), key.id)

    async def flush(self) -> None:
        """Write down who was here. Called now and then, never while a request waits."""
        if not self._used:
            return
        uses, self._used = self._used, {}
        async with self.db.begin() as conn:
            await stored.used(conn, uses)
        self._written |= uses

    def forget(self) -> None:
        """Ask the database again from here on; after a key was revoked in this process."""
        self._known.clear()

    async def _lookup(self, digest: str, at: datetime) -> KeyRow | None:
        known = self._known.get(digest)
        if known is not None and at < known.until:
            return known.key
        async with self.db.read() as conn:
            key = await stored.by_digest(conn, digest)
        if key is not None and not hmac.compare_digest(key.digest, digest):
            key = None
        self._known[digest] = _Known(key, at + FRESH)
        self._known.move_to_end(digest)
        if len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return key


async def create(db: Database, now: Now, *, name: str, scope: Scope, expires_at: datetime | None, by: str) -> tuple[KeyRow, str]:
    """A new key: its row, and its text, which cannot be had again. InvalidBody when it would be expired already."""
    at = now()
    if expires_at is not None and expires_at <= at:
        raise InvalidBody("expires_at lies in the past.")
    row, text = _new(name, scope, expires_at, at)
    async with db.begin() as conn:
        await stored.add(conn, row)
        await audit.record(conn, at, by, "key.created", row.id, {"name": name, "scope": scope})
    return row, text


async def revoke(db: Database, now: Now, key_id: str, *, by: str) -> KeyRow:
    """End a key for good; ending it twice is the same as once. KeyNotFound."""
    at = now()
    async with db.begin() as conn:
        row = await stored.revoke(conn, key_id, at)
        if row is None:
            raise KeyNotFound(f"No API key has the id {key_id}.")
        if row.revoked_at == at:
            await audit.record(conn, at, by, "key.revoked", key_id, {"name": row.name})
    return row


async def ensure_admin_key(db: Database, now: Now) -> str | None:
    """Make an admin key when none holds, and return its text, this once. None: there is one."""
    at = now()
    async with db.begin() as conn:
        if await stored.any_admin(conn, at):
            return None
        row, text = _new("first admin key", "admin", None, at)
        await stored.add(conn, row)
        await audit.record(conn, at, "slawatch", "key.created", row.id, {"name": row.name, "scope": row.scope})
    return text


async def cursor_secret(db: Database, given: str | None, admin_key: str | None) -> bytes:
    """The secret that signs list cursors: the given one, else one that every replica on this database arrives at."""
    if given is not None:
        return given.encode()
    async with db.read() as conn:
        digest = await stored.oldest_digest(conn)
    if digest is None and admin_key is not None:
        digest = digest_of(admin_key)
    return digest.encode() if digest is not None else secrets.token_bytes(32)


def digest_of(token: str) -> str:
    """SHA-256 of a key, hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _new(name: str, scope: Scope, expires_at: datetime | None, at: datetime) -> tuple[KeyRow, str]:
    text = f"slaw_{scope[0]}_{secrets.token_urlsafe(32)}"
    return KeyRow(new_id(KEY), name, scope, digest_of(text), text[:_HINT], at, expires_at), text


def _holds(key: KeyRow, at: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or at < key.expires_at)


def _scope(word: str) -> Scope:
    return next(scope for scope in SCOPES if scope == word)
