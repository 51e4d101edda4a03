"""Column types: the same values in and out of both databases."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from app.store.database import Database
from app.store.tables import audit_log
from app.store.types import from_microseconds, to_microseconds

INSTANTS = st.datetimes(timezones=st.just(UTC))
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


@given(INSTANTS)
def test_every_instant_survives(at: datetime) -> None:
    assert from_microseconds(to_microseconds(at)) == at


@given(INSTANTS, INSTANTS)
def test_the_order_survives(one: datetime, other: datetime) -> None:
    assert (one < other) == (to_microseconds(one) < to_microseconds(other))


@pytest.mark.parametrize("at", [FIRST, LAST, datetime(1970, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)])
def test_the_ends_of_time_survive(at: datetime) -> None:
    assert from_microseconds(to_microseconds(at)) == at


def test_what_comes_out_is_utc() -> None:
    kathmandu = datetime(2026, 3, 2, 12, 0, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    out = from_microseconds(to_microseconds(kathmandu))

    assert (out, out.tzinfo) == (kathmandu, UTC)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_microseconds(datetime(2026, 3, 2, 12, 0))  # noqa: DTZ001


def row(at: datetime, detail: Any = None) -> dict[str, Any]:
    return {"id": "aud_1", "at": at, "actor": "a", "action": "b", "subject": "c", "detail": {} if detail is None else detail}


@pytest.mark.parametrize("at", [FIRST, LAST, datetime(2026, 10, 25, 0, 30, 0, 1, tzinfo=UTC)])
async def test_instants_survive_both_databases(database: Database, at: datetime) -> None:
    async with database.begin() as connection:
        await connection.execute(insert(audit_log).values(row(at)))
        found = (await connection.execute(select(audit_log.c.at).where(audit_log.c.at == at))).scalar_one()

    assert found == at


async def test_a_naive_instant_reaches_no_database(database: Database) -> None:
    naive = datetime(2026, 3, 2, 12, 0)  # noqa: DTZ001
    async with database.begin() as connection:
        with pytest.raises(StatementError, match="naive"):
            await connection.execute(insert(audit_log).values(row(naive)))


async def test_json_survives_both_databases(database: Database) -> None:
    value = {"text": "Grüße \x00 \u2028 🙂", "big": 2**53, "none": None, "list": [1, 2.5, True], "nested": {"": {}}}
    async with database.begin() as connection:
        await connection.execute(insert(audit_log).values(row(LAST, value)))
        found = (await connection.execute(select(audit_log.c.detail))).scalar_one()

    assert found == value
