"""`slawatch serve`, as a process."""

import contextlib
import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from app.cli._sole import DatabaseInUse, sole_service
from app.settings import environment
from app.timesource import utc_now

PROGRAM = [sys.executable, "-m", "app.cli", "serve", "--port", "0"]


class Serving:
    """A service that has said that it listens. `said` is everything it printed until then."""

    def __init__(self, process: "subprocess.Popen[str]", said: list[str]) -> None:
        self.process, self.said = process, said
        found = re.search(r"listens on http://(\S+):(\d+)", said[-1])
        assert found, said
        self.port = int(found[2])

    def get(self, path: str) -> tuple[int, Message]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as response:
                return response.status, response.headers
        except urllib.error.HTTPError as error:
            return error.code, error.headers

    def end(self, by: signal.Signals) -> int:
        """The exit code after the signal."""
        self.process.send_signal(by)
        return self.process.wait(30)


def environ(**settings: str) -> dict[str, str]:
    return {name: value for name, value in environment().items() if not name.startswith("SLAWATCH_")} | settings


@contextlib.contextmanager
def serving(database: str, *arguments: str, **settings: str) -> Iterator[Serving]:
    command = [*PROGRAM, "--database-url", database, *arguments]
    process = subprocess.Popen(command, env=environ(**settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        said: list[str] = []
        for line in process.stdout:
            said.append(line.rstrip("\n"))
            if "listens on" in line:
                break
        assert process.poll() is None, process.communicate()
        yield Serving(process, said)
    finally:
        process.kill()
        process.communicate()


def refused(database: str, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """What a service says that does not start."""
    command = [*PROGRAM, "--database-url", database, *arguments]
    return subprocess.run(command, env=environ(**settings), capture_output=True, text=True, timeout=60)


def run_line(line: str) -> Any:
    """Do what a printed curl line does: by curl itself, or, on a machine without it, by reading the line as curl would."""
    words = shlex.split(line)
    if shutil.which("curl"):
        return json.loads(subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True, timeout=30).stdout)
    assert words[:2] == ["curl", "-sS"]
    options = list(zip(words[3::2], words[4::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
    data = next((value.encode() for option, value in options if option == "-d"), None)
    with urllib.request.urlopen(urllib.request.Request(words[2], data, headers), timeout=30) as response:
        return json.loads(response.read())


def test_the_first_start_prints_a_key_once_and_three_lines_that_work(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/slawatch.db"
    with serving(database) as first:
        lines = [line for line in first.said if line.startswith("curl ")]
        sent, clocks, breaches = map(run_line, lines)
        head = first.get("/healthz")
        code = first.end(signal.SIGTERM)
    with serving(database) as second:
        again = second.end(signal.SIGINT)

    assert first.said[0].startswith("Admin key, shown this once: slaw_a_")
    assert sent["items"][0]["outcome"] == "applied"
    assert [(clock["metric"], clock["health"]) for clock in clocks["items"]] == [("resolution", "overdue")]
    assert [(breach["metric"], breach["status"]) for breach in breaches["items"]] == [("resolution", "open")]
    assert head[0] == 200
    assert "server" not in {name.lower() for name in head[1]}
    assert (code, again) == (0, 0)
    assert "slaw_" not in "".join(second.said)
    assert "`slawatch keys create`" in second.said[0]


def test_a_broken_configuration_stops_the_start_with_every_mistake(tmp_path: Path) -> None:
    file = tmp_path / "slawatch.yaml"
    file.write_text("version: 1\npolices: []\ncalendars:\n  x: {timezone: Europe/Berln, hours: {mon: '09:00-17:00'}}\n")
    done = refused(f"sqlite:///{tmp_path}/slawatch.db", "--config", str(file))

    assert done.returncode == 78
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if line.startswith(f"{file}:")] == [
        f"{file}:2:1 unknown-key there is no key polices here; did you mean policies?",
        f"{file}:4:17 unknown-zone there is no time zone Europe/Berln; did you mean Europe/Berlin?",
    ]
    assert "Traceback" not in done.stderr


def test_others_cannot_reach_a_service_that_has_no_key(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/slawatch.db"
    done = refused(database, "--host", "0.0.0.0")
    with serving(database, "--host", "0.0.0.0", SLAWATCH_ADMIN_KEY="slaw_a_0123456789012345678901234567890123456789") as keyed:
        health = keyed.get("/healthz")[0]

    assert (done.returncode, done.stdout) == (78, "")
    assert "there is no API key yet" in done.stderr
    assert health == 200
    assert keyed.said[0] == "The admin key is the one of SLAWATCH_ADMIN_KEY."


def test_a_worker_answers_only_how_it_is(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path}/slawatch.db", "--role", "worker", "--host", "0.0.0.0") as worker:
        statuses = [worker.get(path)[0] for path in ("/healthz", "/metrics", "/v1/clocks")]

    assert statuses == [200, 200, 404]


@pytest.mark.parametrize("taken", ["port", "database"])
def test_what_is_not_there_is_said_in_a_sentence(tmp_path: Path, taken: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        database = f"postgresql://nobody@127.0.0.1:{port}/none?sslmode=disable" if taken == "database" else f"sqlite:///{tmp_path}/x.db"
        other.close() if taken == "database" else None
        done = refused(database, "--port", "0" if taken == "database" else port)

    assert done.returncode == 1
    assert done.stderr.startswith("slawatch: ")
    assert "Traceback" not in done.stderr


def test_a_request_that_is_under_way_is_answered_before_the_end(tmp_path: Path) -> None:
    key = "slaw_a_0123456789012345678901234567890123456789"
    body = json.dumps({"source": "shop", "ticket": "1", "at": utc_now().isoformat(), "set": {"status": "new"}}).encode()
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with serving(f"sqlite:///{tmp_path}/slawatch.db", SLAWATCH_ADMIN_KEY=key) as service:
        with socket.create_connection(("127.0.0.1", service.port), timeout=30) as client:
            client.sendall(head.encode() + body[:20])
            assert service.get("/healthz")[0] == 200  # so the first half has been read
            service.process.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                service.process.wait(0.5)
            client.sendall(body[20:])
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        code = service.process.wait(30)

    assert answer.startswith(b"HTTP/1.1 202 ")
    assert code == 0


def test_a_second_service_on_one_sqlite_file_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    again = f"sqlite:///{tmp_path}/link/slawatch.db"
    with serving(f"sqlite:///{tmp_path}/slawatch.db") as first:
        done = refused(again)
        still = first.get("/healthz")[0]
        number = str(first.process.pid)
        first.end(signal.SIGKILL)
    with sole_service(again), pytest.raises(DatabaseInUse, match="is in use by another service"), sole_service(again):
        pass

    assert (done.returncode, done.stdout, still) == (1, "", 200)
    assert f"is in use by another service (process {number})" in done.stderr
    assert "Traceback" not in done.stderr
