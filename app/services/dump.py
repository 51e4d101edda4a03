"""A file of what a helpdesk has sent or would send: its records, each read as the events it would be.

A record is a webhook's body as the helpdesk sends it; the same with its headers (`{"headers": {...}, "body": ..., "received_at": "..."}`,
as `GET /v1/inbox/{id}` shows it); or a canonical event (what has the keys `source`, `ticket` and `at`).
"""

import base64
import hashlib
import mmap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from app import helpdesks
from app.errors import InvalidRequest, Unreadable
from app.exchange import HttpRequest
from app.helpdesks import SourceConfig
from app.rules.events import TicketEvent
from app.schemas.events_in import read_event
from app.schemas.instants import read_instant
from app.services.ingest import unreadable

_CANONICAL: Final = frozenset({"source", "ticket", "at"})
_WRAPPED: Final = frozenset({"headers", "body"})


@dataclass(frozen=True, slots=True)
class Record:
    """What one record says. `refused`: why it cannot be read; `ignored`: why it has no meaning for us; None where that is not so."""

    request: HttpRequest
    events: tuple[TicketEvent, ...] = ()
    refused: str | None = None
    ignored: str | None = None

    @property
    def ticket(self) -> str:
        """The ticket it is about; empty when it is about none."""
        return self.events[0].ticket if self.events else ""


class Dump:
    """The records of a file: one a line (NDJSON), or the elements of one array, or one object. Close it after use."""

    def __init__(self, file: Path) -> None:
        """InvalidRequest when it cannot be opened or is empty."""
        try:
            self._data: bytes | mmap.mmap = _open(file)
        except (OSError, ValueError) as error:
            raise InvalidRequest(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
        self.digest = hashlib.sha256(self._data).hexdigest()
        """SHA-256 of the file, hexadecimal: what an import of it is known by."""
        whole = _whole(self._data)
        self._values = whole
        self._lines = _lines(self._data) if whole is None else []

    def __len__(self) -> int:
        return len(self._lines) if self._values is None else len(self._values)

    def __getitem__(self, index: int) -> bytes:
        """The bytes of a record."""
        if self._values is not None:
            return orjson.dumps(self._values[index])
        start, end = self._lines[index]
        return self._data[start:end]

    def close(self) -> None:
        if isinstance(self._data, mmap.mmap):
            self._data.close()


def _open(file: Path) -> mmap.mmap:
    with file.open("rb") as handle:
        return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)


def _whole(data: bytes | mmap.mmap) -> list[Any] | None:
    """The elements of a file that is one JSON value; None when it is lines."""
    start = bytes(data[:64]).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    first = data[: data.find(b"\n")] if data.find(b"\n") >= 0 else data[:]
    if start != b"[" and _is_json(bytes(first)):
        return None
    try:
        value = orjson.loads(bytes(data[:]).removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, list) else [value]


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _lines(data: bytes | mmap.mmap) -> list[tuple[int, int]]:
    """Where the lines that are not blank begin and end."""
    found, start = [], 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        if data[start:end].strip():
            found.append((start, end))
        start = end + 1
    return found


def read(raw: bytes, source: str, config: SourceConfig | None, at: datetime) -> Record:
    """What a record says, as of `at` where it tells no time. `config` None: only canonical events can be read."""
    plain = HttpRequest("POST", "import", {"content-type": "application/json"}, raw)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return Record(plain, refused=f"it is no JSON: {error.msg}")
    if isinstance(value, dict) and value.keys() >= _CANONICAL:
        return _canonical(value, source, plain, at)
    if config is None:
        return Record(plain, refused="it is no canonical event, and no source of the document says how to read it")
    try:
        request, received_at = _unwrapped(value, plain, at)
        return _native(request, config, received_at)
    except (Unreadable, ValueError) as error:
        return Record(plain, refused=error.detail if isinstance(error, Unreadable) else str(error))


def _canonical(value: Mapping[str, Any], source: str, plain: HttpRequest, at: datetime) -> Record:
    event = read_event({**value, "source": source})
    if not isinstance(event, TicketEvent):
        return Record(plain, refused="; ".join(f"{fault.pointer} {fault.detail}".strip() for fault in event))
    why = unreadable([event], at)
    return Record(plain, refused=why) if why is not None else Record(plain, (event,))


def _unwrapped(value: Any, plain: HttpRequest, at: datetime) -> tuple[HttpRequest, datetime]:
    """The request, and when it came. ValueError."""
    if not isinstance(value, dict) or not value.keys() >= _WRAPPED or not isinstance(value["headers"], dict):
        return plain, at
    headers = {str(name).lower(): str(text) for name, text in value["headers"].items()}
    received_at = value.get("received_at")
    return replace(plain, headers=headers, body=_body(value["body"])), at if received_at is None else read_instant(str(received_at))


def _body(body: Any) -> bytes:
    if isinstance(body, dict) and body.keys() == {"encoding", "text"}:
        return base64.b64decode(body["text"]) if body["encoding"] == "base64" else str(body["text"]).encode()
    return body.encode() if isinstance(body, str) else orjson.dumps(body)


def _native(request: HttpRequest, config: SourceConfig, at: datetime) -> Record:
    reading = helpdesks.load(config.kind).parse(request, config, at)
    if (why := unreadable(reading.events, at)) is not None:
        return Record(request, refused=why)
    if reading.outcome == "ignored" or not reading.events:
        return Record(request, ignored=reading.reason or "no meaning for us")
    return Record(request, reading.events)
