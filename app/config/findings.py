"""What `check` has to say about a document: a code, where, and a sentence. Every code is explained in `docs/config-codes.md`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

Severity = Literal["error", "warning"]

ERRORS: Final = (
    "ambiguous-days",
    "bad-condition",
    "bad-date",
    "bad-duration",
    "bad-hours",
    "bad-ical",
    "bad-name",
    "bad-network",
    "bad-placeholder",
    "bad-target",
    "bad-url",
    "bad-value",
    "bad-warning",
    "bad-yaml",
    "duplicate-key",
    "duplicate-name",
    "ladder-order",
    "missing-key",
    "missing-secret",
    "never-opens",
    "reserved-name",
    "self-reference",
    "target-too-long",
    "too-large",
    "unknown-country",
    "unknown-key",
    "unknown-name",
    "unknown-zone",
    "unreachable-policy",
    "unreachable-tier",
    "wrong-type",
    "yaml-trap",
)
WARNINGS: Final = (
    "blocked-url",
    "idle-signal",
    "literal-secret",
    "never-grouped",
    "no-default-policy",
    "no-write-back",
    "priority-hole",
    "quiet-ladder",
    "silent-step",
    "suspect-fact",
    "target-over-a-year",
    "tier-without-policy",
    "unused-calendar",
    "unused-channel",
    "unused-ladder",
)
CODES: Final[Mapping[str, Severity]] = {**dict.fromkeys(ERRORS, "error"), **dict.fromkeys(WARNINGS, "warning")}
"""Every code there is, and how bad it is. A code never changes its meaning."""

MESSAGE_MAX = 400  # characters of a sentence
SHOWN_MAX = 60  # characters of a value of the document in a sentence; longer ones are cut


class Place(NamedTuple):
    """A character of the text: line and column from 1; columns count characters, a tab is one."""

    line: int
    column: int


class Flaw(NamedTuple):
    """One finding before it knows the name of the file."""

    place: Place
    code: str
    message: str


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding. The order of findings is the order of their places; the text never holds a secret, nor more than one line."""

    file: str
    line: int
    column: int
    code: str
    severity: Severity
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column} {self.code} {self.message}"


def finding(file: str, flaw: Flaw) -> Finding:
    """The flaw as a finding of a file."""
    message = flaw.message if len(flaw.message) <= MESSAGE_MAX else f"{flaw.message[: MESSAGE_MAX - 1]}…"
    return Finding(file, *flaw.place, flaw.code, CODES[flaw.code], printable(message))


def printable(text: str) -> str:
    """The text on one line: whatever does not print is written as an escape."""
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)


def shown(value: object) -> str:
    """A value of the document for a sentence, cut where it is long."""
    text = str(value)
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 1]}…"
