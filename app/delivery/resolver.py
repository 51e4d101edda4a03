"""Looking names up for a dial: with a deadline, few threads, and every answer judged before anything is connected."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from app.delivery.timing import marks
from app.guard import GuardPolicy, judge_answers

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Looks one name up: addresses as text, in the resolver's order. Raises OSError when there are none."""

_GetAddrInfo = Callable[..., Sequence[tuple[Any, Any, Any, Any, Any]]]
_THREADS = 16


class LookupFailed(Exception):
    """The name has no address, or the resolver says so."""


class LookupTimeout(Exception):
    """The resolver has not answered in time."""


class SystemLookup:
    """The operating system's resolver, which knows no deadline: `getaddrinfo` may hang for half a minute.

    Each lookup runs in a daemon thread of its own that is simply left behind when the caller stops waiting. At most
    `threads` run at once, and one per name: callers of the same name share the answer, so a name that hangs cannot take the
    threads of the others.
    """

    def __init__(self, getaddrinfo: _GetAddrInfo = socket.getaddrinfo, *, threads: int = _THREADS) -> None:
        self._getaddrinfo = getaddrinfo
        self._slots = asyncio.Semaphore(threads)
        self._running: dict[str, asyncio.Future[list[str] | OSError]] = {}

    async def __call__(self, host: str) -> list[str]:
        """The addresses as text. Raises OSError when the name has none; waits for ever, so call it through `look_up`."""
        future = self._running.get(host) or await self._start(host)
        answer = await asyncio.shield(future)
        if isinstance(answer, OSError):
            raise OSError(answer.errno, answer.strerror or str(answer)) from answer
        return answer

    async def _start(self, host: str) -> "asyncio.Future[list[str] | OSError]":
        await self._slots.acquire()
        if (future := self._running.get(host)) is not None:  # somebody started it while we waited
            self._slots.release()
            return future
        loop = asyncio.get_running_loop()
        future = self._running[host] = loop.create_future()
        threading.Thread(target=self._look_up, args=(host, loop), name="slawatch-dns", daemon=True).start()
        return future

    def _look_up(self, host: str, loop: asyncio.AbstractEventLoop) -> None:
        answer: list[str] | OSError
        try:
            found = self._getaddrinfo(host, None, type=socket.SOCK_STREAM)
            answer = list(dict.fromkeys(str(one[4][0]) for one in found))
        except OSError as error:
            answer = error
        except UnicodeError as error:  # what Python's resolver says of a label it cannot encode
            answer = OSError(str(error))
        with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(self._finish, host, answer)

    def _finish(self, host: str, answer: list[str] | OSError) -> None:
        self._slots.release()
        future = self._running.pop(host)
        if not future.done():
            future.set_result(answer)


class JudgingResolver(AbstractResolver):
    """The resolver hook of our connector: one lookup per dial, all of its answers judged. It is not asked for address literals."""

    def __init__(self, resolve: Resolve, policy: GuardPolicy, *, confined: bool, seconds: float) -> None:
        self._resolve = resolve
        self._policy = policy
        self._confined = confined
        self._seconds = seconds

    async def resolve(  # the base class's signature; we always want both families
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002
    ) -> list[ResolveResult]:
        """Raises Blocked, LookupFailed or LookupTimeout."""
        with marks().span("dns"):
            answers = await look_up(self._resolve, host, self._seconds)
        addresses = judge_answers(host, answers, self._policy, port=port, confined=self._confined)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def look_up(resolve: Resolve, host: str, seconds: float) -> Sequence[str]:
    """One lookup within the deadline. Raises LookupFailed (also for no answers) or LookupTimeout."""
    try:
        async with asyncio.timeout(seconds):
            answers = await resolve(host)
    except TimeoutError:
        raise LookupTimeout(f"{host} was not looked up within {seconds:g} s.") from None
    except OSError as error:
        raise LookupFailed(f"{host}: {error.strerror or error}") from error
    if not answers:
        raise LookupFailed(f"{host} has no address.")
    return answers
