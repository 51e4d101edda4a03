"""A relay on both databases."""

import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from app.store.database import Database
from tests.delivery.post import Post, posting
from tests.support.clock import FakeClock


@pytest.fixture
async def post(database: Database, clock: FakeClock) -> AsyncIterator[Post]:
    """A relay with its outbox; whoever listens on loopback may be posted to."""
    async with posting(database, clock) as made:
        yield made


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address at which nobody listens: the connection is refused at once."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/hook"
