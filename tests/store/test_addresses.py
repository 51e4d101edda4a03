"""Database URLs and what they become."""

import pytest

from app.settings import InvalidSettings
from app.store.addresses import Address, parse


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///slawatch.db", Address("sqlite", "slawatch.db")),
        ("sqlite:////var/lib/slawatch.db", Address("sqlite", "/var/lib/slawatch.db")),
        ("sqlite+aiosqlite:///data/a b%41.db", Address("sqlite", "data/a b%41.db")),
        ("postgresql://u:p%40ss@db/sla", Address("postgresql", "postgresql://u:p%40ss@db/sla")),
        ("postgres://u@db:5433/sla?sslmode=require", Address("postgresql", "postgresql://u@db:5433/sla?sslmode=require")),
        ("postgresql+asyncpg://u@a:1,b:2/sla", Address("postgresql", "postgresql://u@a:1,b:2/sla")),
        ("postgresql://u@/sla?host=/run/pg&pgbouncer=true", Address("postgresql", "postgresql://u@/sla?host=%2Frun%2Fpg", pgbouncer=True)),
    ],
)
def test_a_url_is_understood(url: str, expected: Address) -> None:
    assert parse(url) == expected


@pytest.mark.parametrize(
    "url", ["", "slawatch.db", "mysql://u:hunter2@h/x", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///x.db?mode=ro"]
)
def test_any_other_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        parse(url)

    assert "SLAWATCH_DATABASE_URL" in caught.value.detail
    assert "hunter2" not in caught.value.detail
