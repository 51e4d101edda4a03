"""Where a database is.

SQLite: `sqlite:///FILE` (relative) or `sqlite:////FILE` (absolute). PostgreSQL: `postgresql://USER:PASSWORD@HOST:PORT/NAME?...`, parsed by
asyncpg as libpq would (several hosts, `sslmode`, `passfile`, `target_session_attrs`); every other option of the query is a
setting of the server's session and wins over ours, e.g. `?statement_timeout=60s`. `pgbouncer=true` is ours: see `app.store.postgresql`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlencode

from app.settings import InvalidSettings


@dataclass(frozen=True, slots=True)
class Address:
    """A database URL, understood. `location` is a file (SQLite) or a DSN for asyncpg that may hold a password (PostgreSQL)."""

    dialect: Literal["sqlite", "postgresql"]
    location: str
    pgbouncer: bool = False


def parse(url: str) -> Address:
    """InvalidSettings for what is neither; the sentence does not repeat the URL, which may hold a password."""
    scheme, separator, rest = url.partition("://")
    head, _, query = rest.partition("?")
    match scheme.partition("+")[0] if separator else "":
        case "sqlite" if head.startswith("/") and head not in ("/", "/:memory:") and not query:
            return Address("sqlite", head[1:])
        case "sqlite":
            raise InvalidSettings("SLAWATCH_DATABASE_URL: SQLite needs a file and takes no options: sqlite:///FILE")
        case "postgresql" | "postgres":
            options = dict(parse_qsl(query, keep_blank_values=True))
            pgbouncer = options.pop("pgbouncer", "false").lower() in ("1", "true", "yes", "on")
            return Address("postgresql", f"postgresql://{head}?{urlencode(options)}".removesuffix("?"), pgbouncer)
    raise InvalidSettings("SLAWATCH_DATABASE_URL: expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")


def make_folder(address: Address) -> None:
    """The folder of SQLite's file, made if it is missing; nothing for PostgreSQL."""
    if address.dialect == "sqlite":
        Path(address.location).absolute().parent.mkdir(parents=True, exist_ok=True)
