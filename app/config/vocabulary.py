"""The words that conditions use: tiers that exist, statuses and priorities that are spelled right, facts that are known."""

from collections.abc import Iterator
from typing import Final

from app.config.conditions import Term, conditions, terms
from app.config.fields import NEAR, PRIORITIES
from app.config.findings import Flaw, shown
from app.config.sections import Sections
from app.config.words import hint, nearest
from app.rules.events import Status

FACTS: Final = frozenset(
    {
        "status",
        "priority",
        "group",
        "assignee",
        "assignee_is_bot",
        "requester",
        "requester_domain",
        "organization",
        "tier",
        "tags",
        "created_at",
        "deleted",
        "merged_into",
        "subject",
        "url",
        "channel",
        "category",
        "csat",
        "sentiment",
        "escalation_requested",
        "promised_update_at",
        "language",
    }
)
"""The facts with a meaning of their own (`app.rules.events`); a source may tell of any others."""

_NEAR_FACT: Final = 0.85
_SECTIONS: Final = ("tiers", "metrics", "policies", "escalations", "signals")


def wrong_words(sections: Sections) -> Iterator[Flaw]:
    """Errors: a tier that nothing defines (where tiers are defined), a slip in a status or priority. Warnings: a slip in a fact."""
    defined = {str(raw["name"]).casefold() for raw in sections.lists["tiers"] if isinstance(raw, dict) and "name" in raw}
    words = {"status": tuple(word.value for word in Status), "priority": PRIORITIES}
    told = _told_facts(sections)
    for term in _all_terms(sections):
        yield from _suspect(term, sections, told)
        if term.fact == "tier" and defined:
            yield from _unknown_tier(term, sections, defined)
        elif term.fact in words:
            yield from _slip(term, sections, words[term.fact])


def tiers_named(sections: Sections) -> set[str]:
    """The tiers that the policies name in their `match`, in small letters."""
    found = (term for index, raw in enumerate(sections.lists["policies"]) for term in terms(_match(raw), ("policies", index)))
    return {str(term.value).casefold() for term in found if term.fact == "tier"}


def _match(raw: object) -> object:
    return raw.get("match") if isinstance(raw, dict) else None


def _all_terms(sections: Sections) -> Iterator[Term]:
    for section in _SECTIONS:
        for path, condition in conditions(sections.tree.data.get(section), (section,)):
            yield from terms(condition, path)


def _told_facts(sections: Sections) -> set[str]:
    """Facts that generic sources say they tell of."""
    rules = (rule for raw in sections.maps["sources"].values() if isinstance(raw, dict) for rule in _list(raw.get("events")))
    sets = (rule.get("set") for rule in rules if isinstance(rule, dict))
    return {fact for told in sets if isinstance(told, dict) for fact in told}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _unknown_tier(term: Term, sections: Sections, defined: set[str]) -> Iterator[Flaw]:
    word = term.value
    if isinstance(word, str) and not _is_pattern(word) and word.casefold() not in defined:
        yield Flaw(sections.tree.value_place(term.path), "unknown-name", f"no entry of tiers is named {shown(word)}{hint(word, defined)}")


def _slip(term: Term, sections: Sections, words: tuple[str, ...]) -> Iterator[Flaw]:
    word = term.value
    if not isinstance(word, str) or _is_pattern(word) or word.casefold() in words:
        return
    near = nearest(word, words, NEAR)
    if near is not None:
        message = f"there is no {term.fact} {shown(word)}; did you mean {near}?"
        yield Flaw(sections.tree.value_place(term.path), "unknown-name", message)


def _suspect(term: Term, sections: Sections, told: set[str]) -> Iterator[Flaw]:
    near = None if term.fact in FACTS or term.fact in told else nearest(term.fact, FACTS, _NEAR_FACT)
    if near is not None:
        yield Flaw(
            sections.tree.key_place(term.fact_path),
            "suspect-fact",
            f"{shown(term.fact)} is no fact that is known by itself; did you mean {near}?",
        )


def _is_pattern(word: str) -> bool:
    return any(mark in word for mark in "*?[")
