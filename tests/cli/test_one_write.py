"""What is written in one turn of the loop goes out together."""

import asyncio
from typing import cast

from app.cli._one_write import GATHERED, Gathering


class Wire(asyncio.Transport):
    """A transport that remembers what was sent at once."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.sent: list[bytes] = []
        self.closed = False

    def writelines(self, list_of_data: object) -> None:
        self.sent.append(b"".join(cast(list[bytes], list_of_data)))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


def made() -> tuple[Gathering, Wire]:
    wire = Wire()
    return Gathering(wire, asyncio.get_running_loop()), wire


async def test_head_and_body_are_sent_together_and_the_next_answer_by_itself() -> None:
    transport, wire = made()
    for part in (b"head ", b"body", b""):
        transport.write(part)
    before = list(wire.sent)
    await asyncio.sleep(0)
    transport.write(b"next")
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert [] == before
    assert [b"head body", b"next"] == wire.sent


async def test_closing_sends_what_is_gathered_first_and_nothing_afterwards() -> None:
    transport, wire = made()
    transport.write(b"the last words")
    transport.close()
    transport.write(b"too late")
    await asyncio.sleep(0)

    assert [b"the last words"] == wire.sent
    assert transport.is_closing()


async def test_what_is_large_does_not_wait() -> None:
    transport, wire = made()
    transport.write(b"head ")
    transport.write(b"x" * GATHERED)
    at_once = len(wire.sent)
    transport.write(b"more")
    await asyncio.sleep(0)

    assert 1 == at_once
    assert [GATHERED + 5, 4] == [len(sent) for sent in wire.sent]


async def test_in_all_else_it_is_the_transport() -> None:
    transport, _ = made()

    assert ("127.0.0.1", 1) == transport.get_extra_info("peername")
