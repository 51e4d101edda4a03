"""Clocks by brute force: live through a ticket second by second, counting on fingers. Slow, obvious, and independent of the engine.

Takes nothing from the engine. Time is whole seconds since the ticket was created.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby


@dataclass(frozen=True)
class Happening:
    """What happens in one second; `order` tells apart what happens in the same one."""

    second: int
    order: int
    author: str | None = None
    """`customer`, `agent` (in public), `note` or `bot`."""
    status: str | None = None
    priority: str | None = None
    deleted: bool | None = None


@dataclass(frozen=True)
class Promised:
    """One promise: targets in seconds by priority (None: every other), and its knobs."""

    metric: str
    targets: dict[str | None, int]
    pauses: bool = False
    """Whether the clock stands still in `pending`."""
    reopen: str = "resume"
    on_solve: str = "cancel"


@dataclass
class Lived:
    """One clock. `reached[n]` is the instant at which n + 1 seconds were consumed."""

    number: int
    anchor: int
    promise: int
    target: int = 0
    reached: list[int] = field(default_factory=list)
    stopped: int | None = None
    outcome: str | None = None
    lapsed: bool = False
    breached: int | None = None

    def told(self) -> tuple[int, int, int | None, str | None, int | None, int]:
        return self.number, self.anchor, self.stopped, self.outcome, self.breached, len(self.reached)


@dataclass
class Desk:
    """What is known of the ticket at one second."""

    status: str = "new"
    priority: str | None = None
    deleted: bool = False
    first_reply: int | None = None
    last_reply: int | None = None
    waiting: int | None = None

    @property
    def solved(self) -> bool:
        return self.status in {"solved", "closed"}

    def happen(self, what: Happening) -> None:
        was_solved = self.solved
        self.status = what.status or self.status
        self.priority = what.priority or self.priority
        self.deleted = self.deleted if what.deleted is None else what.deleted
        if was_solved and not self.solved and self.waiting is not None:
            self.waiting = what.second
        if what.author == "customer" and self.waiting is None:
            self.waiting = what.second
        if what.author == "agent":
            self.first_reply = what.second if self.first_reply is None else self.first_reply
            self.last_reply = what.second
            self.waiting = None
        if self.solved and not was_solved:
            self.waiting = None


def live(happenings: Sequence[Happening], promised: Promised, is_open: Callable[[int], bool], until: int) -> list[Lived]:
    """The clocks of one promise at the second `until`."""
    by_second = {
        second: list(group) for second, group in groupby(sorted(happenings, key=lambda h: (h.second, h.order)), lambda h: h.second)
    }
    desk, clocks = Desk(), list[Lived]()
    for second in range(until + 1):
        for number, what in enumerate(by_second.get(second, [])):
            desk.happen(what)
            is_last = number == len(by_second[second]) - 1
            if is_last or (second == 0 and number == 0):  # the creation is looked at by itself, all else of one second together
                _look(desk, promised, clocks, second)
        for clock in clocks:
            if clock.stopped is None and clock.breached is None and len(clock.reached) >= clock.target:
                clock.breached = clock.reached[clock.target - 1]
            stands_still = promised.pauses and desk.status == "pending"
            if clock.stopped is None and not stands_still and is_open(second) and second < until:
                clock.reached.append(second + 1)
    return clocks


def _look(desk: Desk, promised: Promised, clocks: list[Lived], second: int) -> None:
    """What the ticket's state means for the clocks."""
    target = promised.targets.get(desk.priority, promised.targets[None])
    promise = _promise(desk, promised.metric)
    last = clocks[-1] if clocks else None
    if last is not None and last.stopped is None:
        last.target = target
        if last.promise == promise:
            return
        _stop(last, desk, promised, second)
    if promise is None:
        return
    if last is None or last.promise != promise:
        clocks.append(Lived(len(clocks) + 1, promise, promise, target))
    elif last.lapsed or promised.reopen == "resume":
        last.stopped, last.outcome, last.lapsed, last.target = None, None, False, target
    elif promised.reopen == "restart":
        clocks.append(Lived(len(clocks) + 1, second, promise, target))


def _stop(clock: Lived, desk: Desk, promised: Promised, second: int) -> None:
    kept = {
        "first_response": desk.first_reply is not None,
        "next_response": desk.last_reply is not None and desk.last_reply >= clock.anchor,
        "resolution": desk.solved and not desk.deleted,
    }[promised.metric]
    kept = kept or (promised.on_solve == "fulfil" and desk.solved and not desk.deleted)
    clock.stopped, clock.outcome = second, "fulfilled" if kept else "cancelled"
    clock.lapsed = desk.deleted and not kept
    if clock.breached is None and len(clock.reached) >= clock.target and clock.reached[clock.target - 1] < second:
        clock.breached = clock.reached[clock.target - 1]


def _promise(desk: Desk, metric: str) -> int | None:
    if desk.solved or desk.deleted:
        return None
    match metric:
        case "first_response":
            return 0 if desk.first_reply is None else None
        case "next_response":
            return desk.waiting if desk.first_reply is not None else None
        case _:
            return 0
