"""Fixtures for all tests: both databases, migrated and empty, and a clock that stands still.

Every worker has a PostgreSQL server of its own, started by the first test that asks for one (half a second) and stopped with the
worker, however that ends. Every test finds a migrated, empty database: on SQLite a copy of a template, on PostgreSQL the one of the
worker, emptied after the test before.
"""

import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, is_hypothesis_test, settings

from app.store import migrations
from app.store.database import Database
from tests.support.clock import FakeClock
from tests.support.postgres import Postgres
from tests.support.reuse import Reused

MUTATION = "mutation"
# For `make mutation`: the same few examples for every mutant, no look for a smaller one, and no patience lost with slow ones.
settings.register_profile(
    MUTATION,
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)

_OF_PROCESSES: Final = ("tests/e2e/", "tests/chaos/", "tests/test_quickstart.py", "tests/cli/test_demo.py", "tests/cli/test_serve.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of whole processes go first: they mostly wait, which leaves the time to other workers, and the last tests ought to be short.

    Under a mutant those of single examples do: the first that fails ends the run, and most mutants fall to one of them.
    """
    if settings.get_current_profile_name() == MUTATION:
        items.sort(key=lambda item: is_hypothesis_test(getattr(item, "obj", None)))
    else:
        items.sort(key=lambda item: not item.nodeid.startswith(_OF_PROCESSES))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The worker's PostgreSQL server."""
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgresql_template(postgres: Postgres) -> str:
    """Name of a migrated, empty database."""
    name = postgres.create()
    migrations.upgrade(postgres.url(name))
    return name


@pytest.fixture(scope="session")
def postgresql_reused(postgres: Postgres, postgresql_template: str) -> Reused:
    """The database that the worker's tests take in turns."""
    return Reused(postgres, postgresql_template)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File of a migrated, empty database."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrations.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def postgresql_url(postgres: Postgres, postgresql_reused: Reused) -> Iterator[str]:
    """A migrated, empty PostgreSQL database."""
    name = postgresql_reused.take()
    yield postgres.url(name)
    postgresql_reused.give_back(name)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated, empty SQLite database."""
    return f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'slawatch.db')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database; the test runs on both kinds."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table; the test runs on both kinds."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'blank.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open, migrated, empty database of both kinds. Its `now` is the caller's, so that a test can move time.

    It waits longer for its turn than the service does: on a busy machine many tasks at once are to be slow, not refused.
    """
    opened = Database(database_url, patience=timedelta(seconds=30), database_time=False)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> FakeClock:
    """A `Now` that stands still until the test moves it."""
    return FakeClock()
