"""The one way in: text of a document in, everything that is wrong with it and, when nothing is, the document ready for use out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from app.config.compile import Loaded, compile_document
from app.config.consistency import inconsistencies
from app.config.document import parse
from app.config.findings import CODES, Finding, Flaw, finding
from app.config.lints import lints
from app.config.parts import Parts, read_parts
from app.config.secrets import Resolver
from app.config.vocabulary import wrong_words


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a document. `loaded` is None exactly when there is an error among the findings; these are sorted by place."""

    findings: tuple[Finding, ...]
    loaded: Loaded | None

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(found for found in self.findings if found.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(found for found in self.findings if found.severity == "warning")


def check(text: str, *, file: str, environ: Mapping[str, str], base: Path, today: date) -> Checked:
    """All findings about the document, each once. No text makes it raise.

    `file` is only its name in findings. Placeholders are looked up in `environ` and, like iCalendar files, below the folder `base`.
    Holidays are worked out around `today`, and targets are tried from it.
    """
    tree, flaws = parse(text)
    if tree is None:
        return Checked(_findings(file, flaws), None)
    parts = read_parts(tree, Resolver(environ, base), today, base)
    flaws += [*parts.flaws, *wrong_words(parts.sections), *inconsistencies(parts, today)]
    if _has_errors(flaws):
        return Checked(_findings(file, flaws), None)
    flaws += lints(parts)
    return Checked(_findings(file, flaws), _loaded(text, parts))


def _loaded(text: str, parts: Parts) -> Loaded:
    return compile_document(text, parts)


def _has_errors(flaws: list[Flaw]) -> bool:
    return any(CODES[flaw.code] == "error" for flaw in flaws)


def _findings(file: str, flaws: list[Flaw]) -> tuple[Finding, ...]:
    return tuple(sorted({finding(file, flaw) for flaw in flaws}))
