"""API keys: only their digests are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, exists, insert, or_, select, update

from app.store.database import Connection
from app.store.tables import api_keys


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One stored key. `digest`: SHA-256 of the key, hexadecimal. `expires_at` None: never; `revoked_at` None: it holds."""

    id: str
    name: str
    scope: str
    digest: str
    hint: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


async def by_digest(conn: Connection, digest: str) -> KeyRow | None:
    """The key of this digest, revoked and expired ones too."""
    return _key((await conn.execute(select(api_keys).where(api_keys.c.digest == digest))).mappings().first())


async def add(conn: Connection, key: KeyRow) -> None:
    """Store a new key."""
    row = {name: getattr(key, name) for name in KeyRow.__dataclass_fields__}
    await conn.execute(insert(api_keys).values(row))


async def revoke(conn: Connection, key_id: str, at: datetime) -> KeyRow | None:
    """End a key now, for good; one that has ended stays as it is. None when there is no such key."""
    await conn.execute(update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None)).values(revoked_at=at))
    return _key((await conn.execute(select(api_keys).where(api_keys.c.id == key_id))).mappings().first())


async def used(conn: Connection, uses: Mapping[str, datetime]) -> None:
    """Note when keys (by id) were last used; an older instant than the stored one changes nothing."""
    for key_id, at in sorted(uses.items()):
        older = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < at)
        await conn.execute(update(api_keys).where(api_keys.c.id == key_id, older).values(last_used_at=at))


async def any_admin(conn: Connection, at: datetime) -> bool:
    """Whether an admin key holds at this instant."""
    alive = (
        select(api_keys.c.id)
        .where(api_keys.c.scope == "admin", api_keys.c.revoked_at.is_(None))
        .where(or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > at))
    )
    return bool((await conn.execute(select(exists(alive)))).scalar_one())


async def oldest_digest(conn: Connection) -> str | None:
    """The digest of the first key ever made; None when there is none. Keys are never deleted, so it does not change."""
    digest: str | None = (await conn.execute(select(api_keys.c.digest).order_by(api_keys.c.id).limit(1))).scalar_one_or_none()
    return digest


def _key(row: RowMapping | None) -> KeyRow | None:
    return None if row is None else KeyRow(**row)
