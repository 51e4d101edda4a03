"""Where a database is, and how PostgreSQL is spoken to: driver, session settings. SQLite: `app.store.sqlite`.

SQLite: `sqlite:///FILE` (relative) or `sqlite:////FILE` (absolute). PostgreSQL: `postgresql://USER:PASSWORD@HOST:PORT/NAME?...`, parsed by
asyncpg as libpq would (several hosts, `sslmode`, `passfile`, `target_session_attrs`); every other option of the query is a
setting of the server's session and wins over ours, e.g. `?statement_timeout=60s`. `pgbouncer=true` is ours: see `postgresql_engine`.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import NullPool, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.settings import InvalidSettings
from app.store import outages

_SESSION: Final = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "20s",  # how long a process that froze may hold its tickets
    "jit": "off",  # it costs more than our short statements take
    # A machine that has vanished is noticed by the server within half a minute, also where it waits for the rest of a statement.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
# A process that froze in the middle of a statement holds its tickets no longer than this; servers before 17 do not know the setting.
_TRANSACTION: Final = "60s"
# Seconds after which a server that says nothing is taken for vanished: more than it has for a statement.
_SILENCE: Final = 45


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


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection of the engine; Unavailable when there is none to be had."""
    async with AsyncExitStack() as stack:
        with outages.connecting():
            connection = await stack.enter_async_context(engine.connect())
        yield connection


def postgresql_engine(address: Address, *, pool: int, patience: timedelta) -> AsyncEngine:
    """At most `pool` connections; `pool=0`: none is kept and no statement is cut short (migrations).

    With `pgbouncer=true` it works behind PgBouncer in transaction mode, whatever its version: unnamed prepared statements (a named one may
    not exist on the next server connection) and no session settings at the start (PgBouncer refuses those it does not
    track): give the role its timeouts by ALTER ROLE ... SET instead. From PgBouncer 1.21 with max_prepared_statements the
    named ones work too, but its refusal of settings stays.
    """
    engine = create_async_engine(
        "postgresql+asyncpg://",
        connect_args=_connect_args(address, pool, patience),
        **(_pooled(pool, patience) if pool else {"poolclass": NullPool}),
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def check(connection: Any, _record: object, _proxy: object) -> None:
        # After a restart of the server the sockets are known to be closed: no ping needed, the pool makes new ones.
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError

    if pool and not address.pgbouncer and "transaction_timeout" not in _given(address):
        event.listen(engine.sync_engine, "connect", _limit_transactions)
    event.listen(engine.sync_engine, "handle_error", outages.translate, retval=True)
    return engine


def _limit_transactions(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(
        f"SELECT set_config(name, '{_TRANSACTION}', false) FROM pg_settings WHERE name = 'transaction_timeout'"  # noqa: S608
    )
    cursor.close()
    connection.commit()


def _given(address: Address) -> dict[str, str]:
    """The options of the URL."""
    return dict(parse_qsl(address.location.partition("?")[2]))


def _pooled(pool: int, patience: timedelta) -> dict[str, Any]:
    # The last used first, so that spare ones rest and are replaced after half an hour (moved hosts, leaking sessions).
    return {
        "pool_size": pool,
        "max_overflow": 0,
        "pool_timeout": patience.total_seconds(),
        "pool_recycle": 1800,
        "pool_use_lifo": True,
    }


def _connect_args(address: Address, pool: int, patience: timedelta) -> dict[str, Any]:
    given = _given(address)
    session = {"application_name": "slawatch", "timezone": "UTC"}
    args: dict[str, Any] = {"dsn": address.location, "timeout": patience.total_seconds()}
    if address.pgbouncer:
        args |= {"prepared_statement_cache_size": 0, "statement_cache_size": 0, "prepared_statement_name_func": lambda: ""}
    elif pool:
        session |= _SESSION
    if pool and "statement_timeout" not in given:
        args["command_timeout"] = _SILENCE
    return args | {"server_settings": {name: value for name, value in session.items() if name not in given}}
