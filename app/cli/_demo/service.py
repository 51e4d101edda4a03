"""The service as the demo runs it: a process of its own on a free port of loopback, and its API."""

import asyncio
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from app.errors import SlaError

READY: Final = 40.0
"""Seconds the service may take to start; a slow machine needs a good part of them for its first imports."""
STOP: Final = 10.0
_LISTENS: Final = re.compile(r"listens on (http://\S+)")
_LOG_LINES: Final = 15


class DemoFailed(SlaError):
    """The demo could not go on."""


class Child:
    """A Python module running as a process in a session of its own, so that Ctrl-C reaches only the demo, which ends its children."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, arguments: Sequence[str], environ: Mapping[str, str], log: Path) -> "Child":
        """Start `python ARGUMENTS`; standard input and output are pipes, standard error goes to `log`."""
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *arguments, env=dict(environ), stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, stderr=errors, start_new_session=True,
            )  # fmt: skip
        return cls(process)

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL when that is not heard."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), STOP)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()


async def address(service: Child, log: Path) -> str:
    """The URL the service says it listens on. DemoFailed with the end of its log when it does not come up."""
    assert service.process.stdout is not None
    try:
        async with asyncio.timeout(READY):
            async for line in service.process.stdout:
                if found := _LISTENS.search(line.decode()):
                    return found[1]
    except TimeoutError:
        raise DemoFailed(f"The service did not start within {READY:.0f} seconds.\n{tail(log)}") from None
    raise DemoFailed(f"The service did not start.\n{tail(log)}")


def tail(log: Path) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:])


class Api:
    """The few questions the demo asks of the service."""

    def __init__(self, session: aiohttp.ClientSession, base: str, key: str) -> None:
        self._session, self._base, self._headers = session, base, {"Authorization": f"Bearer {key}"}

    async def post(self, path: str, body: Mapping[str, Any]) -> int:
        """Do something; the status of the answer."""
        async with self._session.post(f"{self._base}/v1/{path}", json=dict(body), headers=self._headers) as response:
            return response.status

    async def rows(self, resource: str) -> list[dict[str, Any]]:
        """A whole list."""
        url = f"{self._base}/v1/{resource}"
        async with self._session.get(url, params={"format": "ndjson"}, headers=self._headers) as response:
            body = await response.read()
            if response.status != 200:
                raise DemoFailed(f"GET /v1/{resource} was answered {response.status}: {body[:300].decode(errors='replace')}")
        return [orjson.loads(line) for line in body.splitlines()]
