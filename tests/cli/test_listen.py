"""`slawatch listen`: what it prints and answers, over a real socket."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from app.channels.webhook import Config, render
from app.exchange import HttpRequest
from app.signing import new_secret
from app.timesource import utc_now
from tests.channels.notices import notice

SECRET = new_secret()


@contextmanager
def listening(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The process and its address."""
    command = [sys.executable, "-m", "app.cli", "listen", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found
        try:
            yield process, found[0]
        finally:
            process.terminate()
            process.communicate()
    assert process.returncode == 0


def post(url: str, secret: str = SECRET) -> int:
    request = render(notice(), Config.model_validate({"url": "https://hooks.example.com/", "secrets": [secret]}), utc_now())
    assert isinstance(request, HttpRequest)
    return httpx.post(url, content=request.body, headers=dict(request.headers), trust_env=False).status_code


def heard(process: "subprocess.Popen[str]") -> dict[str, object]:
    assert process.stdout is not None
    found: dict[str, object] = json.loads(process.stdout.readline())
    return {name: found[name] for name in ("id", "verdict", "repeated")}


def test_it_verifies_notices_repeats_and_refuses_strangers() -> None:
    with listening("--secret", SECRET, "--json") as (process, url):
        answers = [post(url), post(url), post(url, new_secret())]
        told = [heard(process) for _ in answers]

    assert answers == [204, 204, 401]
    assert told == [
        {"id": "msg_1", "verdict": "verified", "repeated": False},
        {"id": "msg_1", "verdict": "verified", "repeated": True},
        {"id": "msg_1", "verdict": "no_matching_signature", "repeated": True},
    ]


def test_it_fails_when_it_is_asked_to_and_prints_the_event() -> None:
    with listening("--answer", "503") as (process, url):
        answer = post(url)
        assert process.stdout is not None
        line = process.stdout.readline()

    assert answer == 503
    assert line == "✔ sla.breached msg_1 (not verified)\n"


def test_a_port_that_is_taken_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([sys.executable, "-m", "app.cli", "listen", "--port", port], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith(f"slawatch: 127.0.0.1 port {port} cannot be listened on")
