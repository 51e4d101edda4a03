"""Load over HTTP from a process of its own: raw keep-alive connections, requests made beforehand, latencies measured.

Run as `python -m benchmarks._kit.load`, with a pickled `Load` on standard input; prints a JSON `Measured`.
"""

import asyncio
import gc
import json
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any

import uvloop


@dataclass(frozen=True)
class Load:
    """`requests` are raw bytes, sent once each, in order. `rate` per second (open loop), or None: each connection sends the next one when
    it was answered (closed loop)."""

    host: str
    port: int
    requests: Sequence[bytes]
    connections: int
    rate: float | None = None
    warm_up: int = 0
    """So many of the first answers are not measured."""


@dataclass(frozen=True)
class Measured:
    """`per_second`: answers with 2xx. Latencies in milliseconds; of an open loop from when the request was due, so that waiting counts."""

    per_second: float
    p50: float
    p99: float
    p999: float
    statuses: dict[str, int] = field(default_factory=dict)


async def run(load: Load) -> Measured:
    """The load, in another process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks._kit.load", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    out, _ = await process.communicate(pickle.dumps(load))
    return Measured(**json.loads(out))


def request(host: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A POST as bytes."""
    lines = [f"POST {path} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join([*lines, f"content-length: {len(body)}", "", ""])).encode() + body


class _Connection(asyncio.Protocol):
    """One keep-alive connection with one request on its way at a time."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[int] | None = None
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def send(self, raw: bytes) -> "asyncio.Future[int]":
        self.answered = asyncio.get_running_loop().create_future()
        self._transport.write(raw)
        return self.answered

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) >= end + 4 + length:
            self._buffer = self._buffer[end + 4 + length :]
            assert self.answered is not None
            self.answered.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self.answered is not None and not self.answered.done():
            self.answered.set_exception(exc or ConnectionResetError("closed"))


async def _drive(load: Load) -> Measured:
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(_Connection, load.host, load.port) for _ in range(load.connections)]
    statuses: Counter[str] = Counter()
    latencies: list[float] = []
    pending = iter(enumerate(load.requests))
    began = perf_counter()
    cold, first = load.warm_up, began

    async def work(connection: _Connection) -> None:
        nonlocal cold, first
        for number, raw in pending:
            sent = perf_counter()
            if load.rate is not None:
                due = began + number / load.rate
                if due > sent:
                    await asyncio.sleep(due - sent)
                sent = due
            status = await connection.send(raw)
            ended = perf_counter()
            if cold:
                cold, first = cold - 1, ended
                continue
            statuses[str(status)] += 1
            latencies.append(ended - sent)

    gc.collect()
    gc.disable()
    await asyncio.gather(*(work(connection) for _, connection in made))
    seconds = perf_counter() - first
    latencies.sort()
    good = sum(count for status, count in statuses.items() if status.startswith("2"))
    p50, p99, p999 = (1000 * _quantile(latencies, part) for part in (0.5, 0.99, 0.999))
    return Measured(good / seconds, p50, p99, p999, dict(statuses))


def _quantile(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(asdict(runner.run(_drive(pickle.loads(sys.stdin.buffer.read()))))))
