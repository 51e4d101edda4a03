"""Which policy and which tier hold for a ticket at an instant, and why the others do not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.rules.conditions import failing_term, holds
from app.rules.events import Facts
from app.rules.policy import Book, Policy, Tier


@dataclass(frozen=True)
class Choice:
    """The first policy whose `match` holds (None: none does) and the tier (None: none named) it was chosen with."""

    policy: Policy | None
    tier: str | None


@dataclass(frozen=True)
class Rejection:
    """A policy that came earlier in the document and does not hold, with the first term that fails."""

    policy: str
    because: str


def choose(book: Book, facts: Facts, at: datetime) -> Choice:
    """The first policy that holds at the instant `at`."""
    matched, tier = _with_tier(book, facts, at)
    for policy in book.policies:
        if policy.match is None or holds(policy.match, matched):
            return Choice(policy, tier)
    return Choice(None, tier)


def rejections(book: Book, facts: Facts, at: datetime) -> list[Rejection]:
    """Every policy before the chosen one, with the reason it was not."""
    matched, _ = _with_tier(book, facts, at)
    rejected: list[Rejection] = []
    for policy in book.policies:
        because = None if policy.match is None else failing_term(policy.match, matched)
        if because is None:
            break
        rejected.append(Rejection(policy.name, because))
    return rejected


def _with_tier(book: Book, facts: Facts, at: datetime) -> tuple[Facts, str | None]:
    """The facts as conditions see them: with the requester's domain, and with the tier that was stated or resolved."""
    matched = {**facts}
    requester = facts.get("requester_email", facts.get("requester"))
    if "requester_domain" not in matched and isinstance(requester, str) and "@" in requester:
        matched["requester_domain"] = requester.rsplit("@", 1)[1].lower()
    stated = facts.get("tier")
    tier = str(stated) if stated is not None else _resolve(book.tiers, matched, at)
    matched["tier"] = tier
    return matched, tier


def _resolve(tiers: tuple[Tier, ...], facts: Facts, at: datetime) -> str | None:
    for tier in tiers:
        if (
            (tier.since is None or tier.since <= at)
            and (tier.until is None or at < tier.until)
            and (tier.match is None or holds(tier.match, facts))
        ):
            return tier.name
    return None
