"""Which database errors mean "not now". They become Unavailable (503 with Retry-After); all others pass as they are.

A unique key that is taken, a value that does not fit, a table that is missing: those are facts about the request or about us, and
trying again would not help. A database that is gone, full, overloaded or locked by another is an outage: the same request may
succeed in a moment.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from app.errors import Unavailable

READS: Final = "slawatch_reads"
"""Execution option of an engine that hands out read transactions."""

_SQLITE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
# SQLSTATEs of PostgreSQL (its manual, appendix A): connection, resources, operator intervention, system; then single codes.
_CLASSES: Final = ("08", "53", "57P", "58")
_CODES: Final = frozenset(
    {
        "25006",  # read_only_sql_transaction: this server has become a standby
        "25P03",  # idle_in_transaction_session_timeout
        "25P04",  # transaction_timeout
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "55P03",  # lock_not_available
        "57014",  # query_canceled: the statement timeout
    }
)


def unavailable(detail: str = "The database does not answer at the moment.") -> Unavailable:
    """The error to raise for an outage. The detail goes to strangers: it names no host and no cause (that is chained)."""
    return Unavailable(detail, headers={"Retry-After": "1"})


def is_outage(error: BaseException) -> bool:
    """Whether an error of a driver (not SQLAlchemy's wrapper) means that the same request may succeed later."""
    if isinstance(error, sqlite3.Error):
        # Extended codes keep the primary one in the low byte. No code: the driver's own complaint about a closed connection.
        code = getattr(error, "sqlite_errorcode", None)
        return code & 0xFF in _SQLITE if code is not None else isinstance(error, sqlite3.OperationalError)
    if isinstance(error, AsyncAdapt_asyncpg_dbapi.InvalidCachedStatementError):
        return True  # a newer release migrates under us; SQLAlchemy has just emptied its caches
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return state.startswith(_CLASSES) or state in _CODES
    return isinstance(error, OSError)  # reset connections; TimeoutError is one too


def is_locked(error: sqlite3.Error) -> bool:
    """Whether SQLite refused because another connection holds a lock."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def translate(context: ExceptionContext) -> Unavailable | None:
    """SQLAlchemy's `handle_error` hook: what to raise instead, None to leave the error as it is."""
    error = context.original_exception
    if not isinstance(error, Exception):
        return None  # the task was cancelled; the connection goes, and that is no outage
    if _is_refused_write(error) and context.connection is not None and context.connection.get_execution_options().get(READS):
        return None
    return unavailable() if context.is_disconnect or is_outage(error) else None


def of_driver(error: sqlite3.Error, statement: str, *, reads: bool) -> Exception:
    """The same for an error of a driver that was called without SQLAlchemy: Unavailable, or the error as SQLAlchemy would have raised it.

    `reads`: in a read transaction.
    """
    if is_outage(error) and not (reads and _is_refused_write(error)):
        return unavailable()
    return DBAPIError.instance(statement, None, error, sqlite3.Error, hide_parameters=True)


def _is_refused_write(error: BaseException) -> bool:
    # In a read transaction this is our own mistake; elsewhere the disk or the server has become read-only.
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY or getattr(error, "sqlstate", None) == "25006"


@contextmanager
def connecting() -> Iterator[None]:
    """While a connection is taken from the pool or made, whatever goes wrong is an outage."""
    try:
        yield
    except PoolExhausted as error:
        raise unavailable("All connections to the database are busy.") from error
    except (DBAPIError, OSError) as error:
        raise unavailable("The database cannot be reached.") from error
