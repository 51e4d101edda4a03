"""Guidance of the document: advice and sentences for customers, by metric or signal and language."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo

from app.config.fields import Known, WallSeconds, Words, refuse
from app.config.findings import shown
from app.config.strict import Strict
from app.config.words import hint
from app.rules import signals
from app.rules.guidance import LANGUAGE, PLACEHOLDERS, UPDATE_SECONDS, Guidance, GuidanceBook, unknown_placeholders

SENTENCE_MAX: Final = 1000  # characters
ADVICE_MAX: Final = 10  # sentences


def _known_subject(name: str, info: ValidationInfo) -> str:
    known = info.context.names.get("metric") if isinstance(info.context, Known) else None
    names = set(known or ()) | set(signals.names())
    if known is not None and name not in names:
        raise refuse("unknown-name", f"there is no metric or signal {shown(name)}{hint(name, names)}")
    return name


def _fillable(sentence: str) -> str:
    unknown = unknown_placeholders(sentence)
    if unknown:
        names = ", ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
        raise refuse("bad-value", f"there is no {{{unknown[0]}}} to put in; there is {names}")
    return sentence


def _few(advice: tuple[str, ...]) -> tuple[str, ...]:
    if len(advice) > ADVICE_MAX:
        raise refuse("too-large", f"nobody reads more than {ADVICE_MAX} sentences of advice")
    return advice


Subject = Annotated[str, AfterValidator(_known_subject)]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=SENTENCE_MAX), AfterValidator(_fillable)]


class GuidanceEntry(Strict):
    """What helps, in one language."""

    advice: Annotated[Words, AfterValidator(_few)] = Field(default=(), description="Short sentences for whoever acts.")
    customer: Sentence | None = Field(default=None, description="A sentence for the customer; it may name {ticket} and {next_update}.")


class GuidanceConfig(Strict):
    """What every notice says beside the facts. What is not written here is built in, in English."""

    show: bool = Field(default=True, description="False: notices carry no guidance.")
    language: Language = Field(
        default=LANGUAGE, description="The language of the advice; customers have theirs, if the fact language tells."
    )
    update_within: WallSeconds = Field(default=UPDATE_SECONDS, description="How soon the next update is offered. Default: 1h.")
    texts: dict[Subject, dict[Language, GuidanceEntry]] = Field(default_factory=dict, description="By metric or signal, then by language.")


def compile_guidance(config: GuidanceConfig) -> GuidanceBook:
    """The section as the value that notices are made with."""
    return GuidanceBook(config.show, config.language, config.update_within, {name: _texts(told) for name, told in config.texts.items()})


def _texts(told: Mapping[str, GuidanceEntry]) -> dict[str, Guidance]:
    return {language.casefold().replace("_", "-"): Guidance(entry.advice, entry.customer) for language, entry in told.items()}
