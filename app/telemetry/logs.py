"""Logging: the standard library's loggers, rendered by structlog as JSON lines or for the console.

A record is a constant sentence, a stable `event` and fields: `log.info("Clock breached.", extra={"event": "clock.breached", ...})`.
What is bound with `bind` (the request id) is in every record made in that context. Secrets never appear: a field whose name says that it
holds one is blanked, and message bodies are not logged at all.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, Literal, TextIO

import orjson
import structlog

Fields = MutableMapping[str, Any]

_bound: ContextVar[Mapping[str, Any]] = ContextVar("slawatch_log")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_SECRET = re.compile(r"authorization|cookie|credential|password|secret|signature|token|api_?key", re.IGNORECASE)


def configure(form: Literal["console", "json"], level: str, stream: TextIO | None = None) -> None:
    """Send every record of this process to `stream` (None: standard error), one line each. Called once, at the start."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter(form))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn.access", "apscheduler", "alembic"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def formatter(form: Literal["console", "json"]) -> logging.Formatter:
    """The formatter behind `configure`."""
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True, key="at")
    tail: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_compact)]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(event_key="message", colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    return structlog.stdlib.ProcessorFormatter(processors=[stamp, _fields, _in_context, _redact, *tail])


def get_logger(name: str) -> logging.Logger:
    """The logger of a module (`get_logger(__name__)`)."""
    return logging.getLogger(name)


def bind(**fields: Any) -> None:
    """Begin a context: forget what was bound before, put these fields into every record from here on."""
    _bound.set(fields)


def _compact(fields: Fields, **_: Any) -> str:
    return orjson.dumps(fields, default=str).decode()


def _fields(_: Any, __: str, fields: Fields) -> Fields:
    """From the record: sentence, level, logger and what was given as `extra`. `event` stays the stable name, the sentence is `message`."""
    record: logging.LogRecord = fields.pop("_record")
    fields.pop("_from_structlog", None)
    fields["message"] = fields.pop("event")
    fields["level"] = record.levelname.lower()
    fields["logger"] = record.name
    if record.exc_info:
        fields["exc_info"] = record.exc_info
    fields.update({name: value for name, value in vars(record).items() if name not in _STANDARD and not name.startswith("_")})
    return fields


def _in_context(_: Any, __: str, fields: Fields) -> Fields:
    """What is bound, unless the record says otherwise."""
    for name, value in _bound.get({}).items():
        fields.setdefault(name, value)
    return fields


def _redact(_: Any, __: str, fields: Fields) -> Fields:
    """Blank the fields whose names say that they hold a secret."""
    return {name: "[redacted]" if _SECRET.search(name) else value for name, value in fields.items()}
