"""Whose turn it is: what this process has in hand of each channel, and how much more it may take. No I/O.

Of a channel at most `PER_CHANNEL` requests are on their way at once, of one that answers quickly `PER_QUICK_CHANNEL`, of one that does not
answer a single one, of all together `IN_FLIGHT`. What is claimed ahead is what a channel takes in about a second, so that a claim need not
wait long for its turn.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from app.channels import Notice
from app.store.claims import Claim

PER_CHANNEL: Final = 4
PER_QUICK_CHANNEL: Final = 8
QUICK: Final = 0.1
"""Seconds: a channel whose attempts take less is no nearer to being flooded by eight at a time than a slow one by four."""
IN_FLIGHT: Final = 200
AHEAD_MAX: Final = 256
_AHEAD_SECONDS: Final = 1.0
_SMOOTHING: Final = 0.2


@dataclass(frozen=True, slots=True)
class InHand:
    """A claim that waits for its turn."""

    claim: Claim
    notice: Notice
    until: float
    """Monotonic seconds after which it may not go any more, because its lease would end on the way."""


@dataclass(slots=True)
class _Line:
    """One channel."""

    waiting: deque[InHand] = field(default_factory=deque)
    busy: int = 0
    pace: float = 0.1
    """Seconds that an attempt takes, smoothed."""
    silent: bool = False
    """The last attempt got no answer."""

    @property
    def most(self) -> int:
        return 1 if self.silent else PER_QUICK_CHANNEL if self.pace < QUICK else PER_CHANNEL

    @property
    def ahead(self) -> int:
        """How many may be in hand, those on their way included."""
        if self.silent:
            return 1
        return self.most + min(AHEAD_MAX, int(self.most * _AHEAD_SECONDS / max(self.pace, 0.001)))


class Turns:
    """The lines of all channels. A sender starts where `free` says, takes claims until there is none for it, and stops."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self.busy = 0
        """Senders at work: requests on their way."""

    def room(self, channel: str) -> int:
        """How many more of a channel may be claimed; 0 while it has more than half of that in hand, so that claims come in batches."""
        line = self._lines.get(channel) or _Line()
        held = len(line.waiting) + line.busy
        return line.ahead - held if held <= line.ahead // 2 else 0

    def add(self, claims: Iterable[InHand]) -> None:
        """Claims that wait for their turn, in the order in which they are to go."""
        for each in claims:
            self._lines.setdefault(each.claim.channel, _Line()).waiting.append(each)

    def free(self) -> list[str]:
        """A channel for each further sender that may start now: round and round, so that each gets its share."""
        started: list[str] = []
        open_lines = [(channel, line) for channel, line in self._lines.items() if line.waiting]
        while open_lines and self.busy < IN_FLIGHT:
            open_lines = [(channel, line) for channel, line in open_lines if line.busy < line.most and len(line.waiting) > line.busy]
            for channel, line in open_lines[: IN_FLIGHT - self.busy]:
                line.busy += 1
                self.busy += 1
                started.append(channel)
        return started

    def take(self, channel: str) -> InHand | None:
        """The next claim for a sender of a channel; None: the sender has to stop."""
        line = self._lines[channel]
        return line.waiting.popleft() if line.waiting and line.busy <= line.most else None

    def tried(self, channel: str, seconds: float, *, answered: bool) -> list[Claim]:
        """An attempt took so long, and got an answer or none; after none, what waits is let go of and returned."""
        line = self._lines[channel]
        line.silent = not answered
        line.pace += _SMOOTHING * (seconds - line.pace)
        return [] if answered else self.clear(channel)

    def stopped(self, channel: str) -> None:
        """A sender has stopped. Its channel goes to the end, for the next round."""
        line = self._lines.pop(channel)
        line.busy -= 1
        self.busy -= 1
        self._lines[channel] = line

    def waiting(self) -> list[Claim]:
        """All claims that wait for their turn."""
        return [each.claim for line in self._lines.values() for each in line.waiting]

    def clear(self, channel: str) -> list[Claim]:
        """Let go of what waits of a channel."""
        line = self._lines.get(channel)
        if line is None:
            return []
        gone = [each.claim for each in line.waiting]
        line.waiting.clear()
        return gone

    def drop(self, ids: set[str]) -> None:
        """Let go of some claims that wait."""
        for line in self._lines.values() if ids else ():
            line.waiting = deque(each for each in line.waiting if each.claim.id not in ids)
