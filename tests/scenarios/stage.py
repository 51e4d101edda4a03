"""Plays a story: fast-forwards from one due instant to the next, as the loops of the service would, and notes who is told what.

A story is a YAML file:

    story: A sentence.
    given:                      # the document; each channel is the list of events it hears by itself
      channels: {upstream: [sla.*], lead: []}
      policies: ...
      escalations: ...
    then:                       # in order of time; `at` counts from 09:00 UTC of a Monday
      - {at: 0m, ticket: created, facts: {priority: urgent}}
      - {at: 1h10m, acknowledges: {by: jo, for: 30m}}
      - {at: 2h, told: |
          1h    sla.breached       lead, upstream
          ...}
      - {at: 2h, escalations: [acknowledged]}

`ticket` is created, asks, replies or updated. `acknowledges`, `snoozes`, `resolves`, `assigns` and `opens` are done through the API's
services. `document` replaces parts of the document. `broken` names channels that accept nothing from then on. `asleep: true`: nothing
of the service runs between the entry before and this one. `told` is everything said since the last `told`, `escalations` the states of
all runs, the oldest first, `log` the kinds of lines of the last one.

`silences` makes a silence (`match`, `for`, `weekly`, `channels`), `ends_silence` ends the last one before its time, `kept` is everything
suppressed since the last `kept`. A channel may be a map instead of a list: `{kind: slack, events: [sla.*]}`.
"""

import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy import update

from app.rules.durations import parse_duration
from app.services import escalations
from app.services import silences as silence_service
from app.services.acknowledge import acknowledge_escalation
from app.services.breaches import fire_due, rejudge_stale
from app.services.escalations import fire_steps
from app.services.silences import Wish
from app.services.summaries import tell_what_is_left
from app.store import clocks, silences, wakes
from app.store import escalations as runs
from app.store.database import Database
from app.store.tables import deliveries, escalation_log, notices
from app.store.tables import escalations as escalations_table
from tests.services.world import World, event, world
from tests.support.clock import START, FakeClock

_QUESTIONS = ("told", "kept", "escalations", "log")
_URL = "https://{}.example.com/sla"


def load(file: Path) -> dict[str, Any]:
    """A story as written."""
    found: dict[str, Any] = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    return found


async def play(story: Mapping[str, Any], db: Database, folder: Path) -> None:
    """Play a whole story; an expectation that is not met is an AssertionError that names its place."""
    clock = FakeClock()
    async with world(db, clock, folder, _document(story["given"])) as desk:
        stage = Stage(desk, dict(story["given"]))
        for place, act in enumerate(story["then"], start=1):
            await stage.go_to(_instant(act["at"]), asleep=bool(act.get("asleep")))
            for name, value in act.items():
                if name not in ("at", "asleep", "facts", "dated"):
                    stage.place = f"entry {place} ({act['at']} {name})"
                    await stage.act(name, value, act)


@dataclass
class Stage:
    """One story under way."""

    desk: World
    given: dict[str, Any]
    place: str = ""
    broken: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)
    """Ids of the deliveries that a `told` has seen."""
    known: set[str] = field(default_factory=set)
    """Ids of the deliveries that a `kept` has seen."""
    silence: str = ""
    """Id of the last one that was made."""

    async def act(self, name: str, value: Any, act: Mapping[str, Any]) -> None:
        acts: Mapping[str, Callable[[Any, Mapping[str, Any]], Awaitable[None]]] = {
            "ticket": self._ticket,
            "acknowledges": self._acknowledges,
            "snoozes": self._snoozes,
            "resolves": self._resolves,
            "assigns": self._assigns,
            "opens": self._opens,
            "document": self._change_document,
            "broken": self._break,
            "silences": self._silence,
            "ends_silence": self._end_silence,
            "kept": self._kept,
            "told": self._told,
            "escalations": self._states,
            "log": self._log,
        }
        if name in _QUESTIONS:
            await self._settle()
        await acts[name](value, act)
        await self._settle()

    async def go_to(self, at: datetime, *, asleep: bool) -> None:
        """Fast-forward: at each instant at which a clock or a run has something to do, the loops run; with `asleep` only in the end."""
        while not asleep:
            async with self.desk.db.read() as conn:
                found = [
                    *(await clocks.nearest(conn))[1:], (await runs.nearest(conn))[1],
                    await silences.next_summary_at(conn),
                ]  # fmt: skip
            ahead = min((each for each in found if each is not None), default=None)
            if ahead is None or ahead >= at:
                break
            self.desk.clock.set(max(ahead, self.desk.clock()))
            await self._settle()
        self.desk.clock.set(max(at, self.desk.clock()))
        if not asleep:
            await self._settle()

    async def _settle(self) -> None:
        """What the loops do at one moment, until none of them has anything left to do."""
        while True:
            await fire_due(self.desk.db, self.desk.live, self.desk.clock)
            stepped = await fire_steps(self.desk.db, self.desk.live, self.desk.clock)
            await tell_what_is_left(self.desk.db, self.desk.live, self.desk.clock)
            if not await self._deliver() and not stepped.more:
                return

    async def _deliver(self) -> bool:
        """Every channel accepts what waits for it, or gives it up for good; whether anything was given up."""
        at = self.desk.clock()
        if not [row for row in await self.desk.rows(deliveries) if row.state == "pending"]:
            return False
        async with self.desk.db.begin() as conn:
            lost = deliveries.c.channel.in_(sorted(self.broken))
            dead = update(deliveries).where(deliveries.c.state == "pending", lost).values(state="dead", next_attempt_at=None)
            ids = list((await conn.execute(dead.returning(deliveries.c.id))).scalars())
            accepted = {"state": "delivered", "next_attempt_at": None, "delivered_at": at}
            await conn.execute(update(deliveries).where(deliveries.c.state == "pending").values(**accepted))
            await wakes.wake(conn, ids, at)
        return bool(ids)

    async def _ticket(self, what: str, act: Mapping[str, Any]) -> None:
        facts: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in act.get("facts", {}).items()}
        await self.desk.tell(event(_instant(act["dated"]) if "dated" in act else self.desk.clock(), what, **facts))

    async def _acknowledges(self, said: Mapping[str, Any], _: Mapping[str, Any]) -> None:
        span = _span(said["for"]) if "for" in said else None
        await acknowledge_escalation(*self._parts(), await self._last(), by=said["by"], note=None, span=span)

    async def _snoozes(self, said: Mapping[str, Any], _: Mapping[str, Any]) -> None:
        await escalations.snooze(*self._parts(), await self._last(), by=said["by"], note=None, span=_span(said["for"]))

    async def _resolves(self, said: Mapping[str, Any], _: Mapping[str, Any]) -> None:
        await escalations.resolve(*self._parts(), await self._last(), by=said["by"], note=None)

    async def _assigns(self, said: Mapping[str, Any], _: Mapping[str, Any]) -> None:
        await escalations.assign(*self._parts(), await self._last(), by=said["by"], to=said["to"])

    async def _opens(self, said: Mapping[str, Any], _: Mapping[str, Any]) -> None:
        await escalations.open_by_hand(
            *self._parts(), reference="desk:1", type_=said["type"], target=said["target"], reason="so it is", by=said["by"]
        )

    async def _change_document(self, parts: Mapping[str, Any], _: Mapping[str, Any]) -> None:
        self.given |= parts
        live = self.desk.live
        await live.put(_document(self.given), author="test", if_match=f'"{live.current.etag}"')
        while await rejudge_stale(self.desk.db, live, self.desk.clock):
            pass

    async def _break(self, names: list[str], _: Mapping[str, Any]) -> None:
        self.broken = set(names)

    async def _silence(self, said: Mapping[str, Any], _: Mapping[str, Any]) -> None:
        more = {name: said[name] for name in ("weekly", "channels") if name in said}
        wish = Wish(said["match"], "moving house", "jo", span=_span(said["for"]), **more)
        self.silence = await silence_service.create(*self._parts(), wish)

    async def _end_silence(self, by: str, _: Mapping[str, Any]) -> None:
        await silence_service.end(self.desk.db, self.desk.clock, self.silence, by=by)

    async def _kept(self, expected: str | None, _: Mapping[str, Any]) -> None:
        rows = [row for row in await self.desk.rows(deliveries) if row.id not in self.known and row.state == "suppressed"]
        found = sorted((f"{_since_start(row.created_at)} {row.type} {row.channel}" for row in rows), key=_by_time)
        wanted = [" ".join(line.split()) for line in (expected or "").splitlines() if line.strip()]
        assert sorted(wanted, key=_by_time) == found, f"{self.place}: kept\n" + "\n".join(found)
        assert all(row.detail.startswith(f"silence {row.silence_id} by jo until ") for row in rows), self.place
        self.known |= {row.id for row in rows}

    async def _told(self, expected: str | None, _: Mapping[str, Any]) -> None:
        found = await self._fresh_lines()
        wanted = [" ".join(line.split()) for line in (expected or "").splitlines() if line.strip()]
        assert sorted(wanted, key=_by_time) == found, f"{self.place}: told\n" + "\n".join(found)
        self.heard |= {row.id for row in await self.desk.rows(deliveries)}

    async def _fresh_lines(self) -> list[str]:
        """`1h30m escalation.step head, lead` for each notice that nobody has looked at yet, by time; at one instant by type."""
        rows = [row for row in await self.desk.rows(deliveries) if row.id not in self.heard and row.delivered_at is not None]
        lines = []
        for notice in await self.desk.rows(notices):
            channels = sorted(row.channel for row in rows if row.notice_id == notice.id)
            if channels:
                lines.append(f"{_since_start(notice.created_at)} {notice.type} {', '.join(channels)}")
        return sorted(lines, key=_by_time)

    async def _states(self, expected: list[str], _: Mapping[str, Any]) -> None:
        assert expected == [row.state for row in await self.desk.rows(escalations_table)], self.place

    async def _log(self, expected: list[str], _: Mapping[str, Any]) -> None:
        last = await self._last()
        found = [line.kind for line in await self.desk.rows(escalation_log) if line.escalation_id == last]

        assert expected == found, self.place

    async def _last(self) -> str:
        return str((await self.desk.rows(escalations_table))[-1].id)

    def _parts(self) -> tuple[Any, Any, Any]:
        return self.desk.db, self.desk.live, self.desk.clock


def _document(given: Mapping[str, Any]) -> str:
    channels = {name: _channel(name, said) for name, said in given["channels"].items()}
    out = io.StringIO()
    YAML(typ="safe").dump({"version": 1, **given, "channels": channels}, out)
    return out.getvalue()


def _channel(name: str, said: Any) -> dict[str, Any]:
    """As the document has it: a list is what a webhook hears by itself."""
    if isinstance(said, Mapping):
        return {"url": _URL.format(name), **said}
    return {"kind": "webhook", "url": _URL.format(name), "secret": "${env:SECRET}"} | ({"events": list(said)} if said else {})


def _by_time(line: str) -> tuple[timedelta, str]:
    return _span(line.partition(" ")[0]), line


def _span(text: str) -> timedelta:
    return timedelta(seconds=parse_duration(text, days_allowed=True))


def _instant(text: str) -> datetime:
    return START + _span(text)


def _since_start(at: datetime) -> str:
    minutes, seconds = divmod(round((at - START).total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "m"), (seconds, "s")]
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0m"
