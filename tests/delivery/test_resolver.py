"""The system's resolver: bounded, shared by those who ask the same, and left behind when it hangs."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.delivery.resolver import LookupFailed, LookupTimeout, SystemLookup, look_up


class Resolver:
    """A `getaddrinfo` that answers when the test lets it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_answer = threading.Event()

    def __call__(self, host: str, port: None, *, type: socket.SocketKind) -> list[tuple[Any, Any, Any, Any, Any]]:  # noqa: A002
        self.asked.append(host)
        self.may_answer.wait(10)
        if host == "unknown.example.com":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if host == "odd.example.com":
            raise UnicodeError("label too long")
        return [(2, type, 6, "", ("93.184.216.34", 0)), (10, type, 6, "", ("2606::1", 0, 0, 0)), (2, type, 6, "", ("93.184.216.34", 0))]


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    made = Resolver()
    yield made
    made.may_answer.set()


async def test_the_answers_come_in_order_and_once(resolver: Resolver) -> None:
    resolver.may_answer.set()

    assert await SystemLookup(resolver)("example.com") == ["93.184.216.34", "2606::1"]


@pytest.mark.parametrize("host", ["unknown.example.com", "odd.example.com"])
async def test_a_name_that_is_not_found_is_a_failed_lookup(resolver: Resolver, host: str) -> None:
    resolver.may_answer.set()

    with pytest.raises(LookupFailed, match=host):
        await look_up(SystemLookup(resolver), host, 5)


async def test_those_who_ask_for_the_same_name_share_one_lookup(resolver: Resolver) -> None:
    lookup = SystemLookup(resolver)
    asyncio.get_running_loop().call_later(0.01, resolver.may_answer.set)
    found = await asyncio.gather(*(lookup("example.com") for _ in range(3)))

    assert found == [["93.184.216.34", "2606::1"]] * 3
    assert resolver.asked == ["example.com"]


async def test_a_lookup_that_hangs_is_left_behind_and_holds_only_its_own_slot(resolver: Resolver) -> None:
    lookup = SystemLookup(resolver, threads=1)

    for host in ("hangs.example.com", "hangs.example.com", "waits.example.com"):
        with pytest.raises(LookupTimeout, match=host):
            await look_up(lookup, host, 0.02)
    resolver.may_answer.set()
    found = await look_up(lookup, "waits.example.com", 5)

    assert found == ["93.184.216.34", "2606::1"]
    assert resolver.asked == ["hangs.example.com", "waits.example.com"]


def test_an_answer_after_the_loop_has_ended_is_nobodys(resolver: Resolver) -> None:
    with pytest.raises(LookupTimeout):
        asyncio.run(look_up(SystemLookup(resolver), "example.com", 0.01))
    resolver.may_answer.set()
    for thread in threading.enumerate():
        if thread.name == "slawatch-dns":
            thread.join(5)

    assert resolver.asked == ["example.com"]


async def test_the_real_resolver_knows_this_machine() -> None:
    assert "127.0.0.1" in await SystemLookup()("localhost")
