"""Showing the demo: a live board on a terminal, plain lines elsewhere, nothing for programs."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from app.cli._demo.helpdesk import Post
from app.cli._demo.ledger import Books, instant
from app.cli._demo.receiver import Callback

_ROWS: Final = 6
_HAPPENINGS: Final = 10
_COUNTED: Final = ("sla.warning", "sla.breached", "sla.recovered", "sla.retracted", "escalation.step", "escalation.deescalated")
_LOOKS: Final = {
    "sla.breached": ("✖", "bold red"),
    "sla.warning": ("!", "yellow"),
    "sla.recovered": ("✔", "green"),
    "sla.met_late": ("✔", "green"),
    "sla.retracted": ("↶", "cyan"),
    "sla.retargeted": ("↻", "cyan"),
    "escalation.opened": ("▲", "magenta"),
    "escalation.step": ("▲", "bold magenta"),
    "escalation.acknowledged": ("☑", "bold cyan"),
    "escalation.deescalated": ("▼", "green"),
    "escalation.exhausted": ("✖", "bold magenta"),
}


class Display(Protocol):
    """Where the demo tells what happens."""

    def begin(self, url: str, key: str) -> None: ...

    def sent(self, post: Post, at: datetime) -> None: ...

    def heard(self, callback: Callback) -> None: ...

    def update(self, books: Books, at: datetime) -> None: ...

    def end(self) -> None: ...


class Silent:
    """Shows nothing."""

    def begin(self, url: str, key: str) -> None:
        """Nothing."""

    def sent(self, post: Post, at: datetime) -> None:
        """Nothing."""

    def heard(self, callback: Callback) -> None:
        """Nothing."""

    def update(self, books: Books, at: datetime) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


class Lines(Silent):
    """A line for everything that happens."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def begin(self, url: str, key: str) -> None:
        self._say(Text(f"The service runs on {url} (key for this demo: {key})"))

    def sent(self, post: Post, at: datetime) -> None:
        self._say(sent_line(post, at))

    def heard(self, callback: Callback) -> None:
        self._say(heard_line(callback))

    def _say(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)


class Board(Silent):
    """A board that changes in place: counts, the clocks that break next, and the latest happenings."""

    def __init__(self, console: Console) -> None:
        self._latest: deque[Text] = deque(maxlen=_HAPPENINGS)
        self._head = Text()
        self._live = Live(console=console, auto_refresh=False, transient=False)

    def begin(self, url: str, key: str) -> None:
        self._head = Text(f"slawatch demo on {url}, key {key}", style="bold", overflow="fold")
        self._live.start()

    def sent(self, post: Post, at: datetime) -> None:
        self._latest.append(sent_line(post, at))

    def heard(self, callback: Callback) -> None:
        self._latest.append(heard_line(callback))

    def update(self, books: Books, at: datetime) -> None:
        self._live.update(self._draw(books, at), refresh=True)

    def end(self) -> None:
        self._live.stop()

    def _draw(self, books: Books, at: datetime) -> RenderableType:
        return Group(self._head, _counts(books), _next(books.service.clocks, at), *self._latest)


def sent_line(post: Post, at: datetime) -> Text:
    """One webhook of the helpdesk."""
    note = " (sent again)" if post.repeat else ""
    return Text(f"{_time(at)}  → {post.type} #{post.ticket}{note}: {post.status} {post.outcome}", style="dim")


def heard_line(callback: Callback) -> Text:
    """One callback of the service."""
    if callback.refused is not None:
        return Text(f"{_time(callback.received_at)}  ← callback {callback.id} REFUSED: {callback.refused}", style="bold red")
    sign, style = _LOOKS.get(callback.type, ("·", ""))
    clock, ticket = callback.data.get("clock", {}), callback.data.get("ticket", {})
    due = _time(instant(clock["due_at"])) if clock.get("due_at") else "-"
    what = f"{callback.type} {clock.get('metric')} #{ticket.get('external_id')}, {_point(callback.data) or f'due {due}'}"
    return Text(f"{_time(callback.received_at)}  ← {sign} {what}, signature verified", style=style)


def _point(data: Mapping[str, Any]) -> str:
    """What an escalation's event is about; empty for others."""
    escalation, step = data.get("escalation", {}), data.get("step")
    if step and escalation:
        upcoming = f", next: {step['next']}" if step.get("next") else ""
        return f"rung {step.get('step')} ({step.get('type')}){upcoming}"
    if escalation.get("state") == "acknowledged":
        return f"by {escalation.get('acknowledged_by')}: the ladder waits"
    return f"{escalation.get('state')} {escalation.get('closed_because') or ''}".rstrip() if escalation else ""


def result(figures: Mapping[str, Any], problems: Sequence[str]) -> RenderableType:
    """What came of it, for people."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in figures.items():
        shown = f"p50 {_number(value['p50'])}, p99 {_number(value['p99'])}" if isinstance(value, dict) else str(value)
        table.add_row(name.replace("_", " "), shown)
    lines = [Text(f"✖ {problem}", style="bold red") for problem in problems]
    verdict = Text("✔ everything that was sent is accounted for, every callback is verified", style="bold green")
    return Group(Text(), table, Text(), *(lines or [verdict]))


def _counts(books: Books) -> Table:
    table = Table(box=None, show_header=True, header_style="dim", padding=(0, 3, 0, 0))
    counts = {
        "webhooks": f"{len(books.posts)}/{books.planned}",
        "clocks": str(len(books.service.clocks)),
        **{type_.partition(".")[2]: str(books.count(type_)) for type_ in _COUNTED},
        "verified": f"{sum(c.refused is None for c in books.callbacks)}/{len(books.callbacks)}",
    }
    for name in counts:
        table.add_column(name)
    table.add_row(*counts.values())
    return table


def _next(clocks: Sequence[Mapping[str, Any]], at: datetime) -> Table:
    table = Table(title="What breaks next", title_justify="left", box=None, header_style="dim", padding=(0, 3, 0, 0))
    for name in ("ticket", "tier", "metric", "left", "state"):
        table.add_column(name)
    running = sorted((row for row in clocks if row["state"] == "running" and row["due_at"]), key=lambda row: row["due_at"])
    ahead = [row for row in running if instant(row["due_at"]) > at][:_ROWS]
    for row in [*ahead, *[None] * (_ROWS - len(ahead))]:
        if row is None:
            table.add_row("", "", "", "", "")
        else:
            left = (instant(row["due_at"]) - at).total_seconds()
            table.add_row(f"#{row['external_id']}", row["tier"], row["metric"], f"{left:.1f} s", row["health"].replace("_", " "))
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g} ms"


def _time(at: datetime) -> str:
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"
