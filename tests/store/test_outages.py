"""Which errors of the drivers are outages and which are facts."""

import sqlite3

import pytest

from app.store.outages import is_outage


class Answer(Exception):
    """An error as asyncpg's adapter gives it: with the server's SQLSTATE."""

    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("…")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, True),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, True),
        (sqlite3.SQLITE_FULL, True),
        (sqlite3.SQLITE_IOERR_FSYNC, True),
        (sqlite3.SQLITE_CANTOPEN, True),
        (sqlite3.SQLITE_ERROR, False),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, False),
        (sqlite3.SQLITE_CORRUPT, False),
        (sqlite3.SQLITE_TOOBIG, False),
    ],
)
def test_sqlite_tells_by_its_code(code: int, expected: bool) -> None:
    assert is_outage(sqlite_error(code)) is expected


@pytest.mark.parametrize(
    ("sqlstate", "expected"),
    [
        ("08006", True),  # connection_failure
        ("53300", True),  # too_many_connections
        ("53100", True),  # disk_full
        ("57P01", True),  # admin_shutdown
        ("57014", True),  # query_canceled
        ("40P01", True),  # deadlock_detected
        ("55P03", True),  # lock_not_available
        ("25006", True),  # read_only_sql_transaction
        ("23505", False),  # unique_violation
        ("22P05", False),  # untranslatable_character
        ("42P01", False),  # undefined_table
        ("42501", False),  # insufficient_privilege
    ],
)
def test_postgresql_tells_by_its_state(sqlstate: str, expected: bool) -> None:
    assert is_outage(Answer(sqlstate)) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (sqlite3.OperationalError("no active connection"), True),
        (sqlite3.ProgrammingError("wrong number of values"), False),
        (ValueError("the server expects 2 arguments"), False),
    ],
)
def test_an_error_without_a_code_tells_by_its_kind(error: Exception, expected: bool) -> None:
    assert is_outage(error) is expected
