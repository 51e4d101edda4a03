"""PostgreSQL, spoken to through asyncpg. Rows are locked by those who work on them; any number write at the same time."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from sqlalchemy import NullPool, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.store import outages
from app.store.addresses import Address

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


@asynccontextmanager
async def connected(pool: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection of the engine; Unavailable when there is none to be had."""
    async with AsyncExitStack() as stack:
        with outages.connecting():
            connection = await stack.enter_async_context(pool.connect())
        yield connection


def engine(address: Address, *, pool: int, patience: timedelta) -> AsyncEngine:
    """At most `pool` connections; `pool=0`: none is kept and no statement is cut short (migrations).

    With `pgbouncer=true` it works behind PgBouncer in transaction mode, whatever its version: unnamed prepared statements (a named one may
    not exist on the next server connection) and no session settings at the start (PgBouncer refuses those it does not
    track): give the role its timeouts by ALTER ROLE ... SET instead. From PgBouncer 1.21 with max_prepared_statements the
    named ones work too, but its refusal of settings stays.
    """
    made = create_async_engine(
        "postgresql+asyncpg://",
        connect_args=_connect_args(address, pool, patience),
        **(_pooled(pool, patience) if pool else {"poolclass": NullPool}),
        hide_parameters=True,
    )

    @event.listens_for(made.sync_engine, "checkout")
    def check(connection: Any, _record: object, _proxy: object) -> None:
        # After a restart of the server the sockets are known to be closed: no ping needed, the pool makes new ones.
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError

    if pool and not address.pgbouncer and "transaction_timeout" not in _given(address):
        event.listen(made.sync_engine, "connect", _limit_transactions)
    event.listen(made.sync_engine, "handle_error", outages.translate, retval=True)
    return made


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


class Postgresql:
    """The connections to a PostgreSQL server."""

    def __init__(self, address: Address, pool: int, patience: timedelta) -> None:
        self._writer = engine(address, pool=pool, patience=patience)
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True, outages.READS: True}
        self._reader = self._writer.execution_options(**options)
        self._asker = self._reader.execution_options(isolation_level="AUTOCOMMIT")

    async def close(self) -> None:
        await self._writer.dispose()

    @asynccontextmanager
    async def begin(self, *, aside: bool) -> AsyncIterator[AsyncConnection]:  # noqa: ARG002
        async with connected(self._writer) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with connected(self._reader) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def ask(self) -> AsyncIterator[AsyncConnection]:
        async with connected(self._asker) as connection:
            yield connection
