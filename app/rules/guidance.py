"""Guidance: what helps when a promise or a signal is told. Short advice to whoever acts, and a sentence that may go to the customer.

Nothing here is ever sent to a customer by us; it is offered. The document may say it otherwise, and in other languages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

PLACEHOLDERS: Final = frozenset({"ticket", "next_update"})
"""What a sentence to the customer may name: `{ticket}`, the number; `{next_update}`, when they hear from us next."""
LANGUAGE: Final = "en"
"""What the built-in texts are written in."""
UPDATE_SECONDS: Final = 3600
"""Within which time the next update is offered unless the document says otherwise."""

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Guidance:
    """What helps. `advice`: a sentence each, in order; `customer`: a sentence for the customer with placeholders; None: none is offered."""

    advice: tuple[str, ...] = ()
    customer: str | None = None


@dataclass(frozen=True)
class GuidanceBook:
    """What the document says of guidance. `texts`: by metric or signal, then by language (lower case)."""

    show: bool = True
    language: str = LANGUAGE
    update_seconds: int = UPDATE_SECONDS
    texts: Mapping[str, Mapping[str, Guidance]] = field(default_factory=dict)

    def find(self, subject: str, built_in: Guidance, language: str | None = None) -> Guidance:
        """Guidance for a metric or signal: `de-at`, then `de`, then the document's own language, then English, which is built in.

        What an entry leaves out (advice or sentence) comes from the next one.
        """
        if not self.show:
            return Guidance()
        told = self.texts.get(subject)
        if not told:
            return built_in
        found = [told[word] for word in dict.fromkeys(_chain(language, self.language)) if word in told]
        every = [*found, built_in]
        return Guidance(
            advice=next((entry.advice for entry in every if entry.advice), ()),
            customer=next((entry.customer for entry in every if entry.customer), None),
        )


def unknown_placeholders(sentence: str) -> list[str]:
    """The names in braces that a sentence cannot be filled with, in their order."""
    return [name for name in _PLACEHOLDER.findall(sentence) if name not in PLACEHOLDERS]


def filled(sentence: str, values: Mapping[str, str]) -> str:
    """The sentence with its placeholders replaced; what is put in is never looked at again, and an unknown name stays as it is."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), sentence)


def _chain(*languages: str | None) -> list[str]:
    """Each language with what it falls back to: `de-at`, `de`."""
    words: list[str] = []
    for language in (*languages, LANGUAGE):
        parts = (language or "").casefold().replace("_", "-").split("-")
        words += ["-".join(parts[:count]) for count in range(len(parts), 0, -1) if parts[0]]
    return words
