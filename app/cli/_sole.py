"""One service at a time on an SQLite file: a lock beside it, held by the operating system for as long as the process lives."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import SlaError
from app.store.addresses import make_folder, parse


class DatabaseInUse(SlaError):
    """Another service runs on this SQLite file."""


@contextmanager
def sole_service(database_url: str) -> Iterator[None]:
    """While inside, no other service can run on the SQLite file of this URL; on PostgreSQL there may be any number. DatabaseInUse.

    Two services on one file would send each other's deliveries a second time after a restart and wait for each other's commits.
    The command line may work beside a service. The lock is a file of its own (`slawatch.db.lock`): SQLite's own locks on the
    database would be lost with the first closing of another handle. It ends with the process, however that ends; the file stays,
    since removing it would let a third process lock a name that a second one no longer sees.
    """
    address = parse(database_url)
    if address.dialect != "sqlite":
        yield
        return
    make_folder(address)
    file = Path(f"{Path(address.location).resolve()}.lock")
    with _open(file) as handle:
        _take(handle, file, address.location)
        yield


@contextmanager
def _open(file: Path) -> Iterator[int]:
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseInUse(f"{file} cannot be opened: {error.strerror}. The service keeps it locked while it runs.") from error
    try:
        yield handle
    finally:
        os.close(handle)


def _take(handle: int, file: Path, location: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise DatabaseInUse(
            f"{location} is in use by another service (process {holder}). SQLite is for one process: stop that one, or use PostgreSQL "
            "for as many as you like."
        ) from None
    except OSError as error:
        raise DatabaseInUse(f"{file} cannot be locked: {error.strerror}. Use a local disk.") from error
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
