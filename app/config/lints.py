"""Holes in a document that is right in itself: warnings. What a support lead would want to be told before it hurts."""

from collections.abc import Iterator

from pydantic import SecretStr

from app.config.fields import PRIORITIES
from app.config.findings import Flaw, shown
from app.config.ladders import StepEntry
from app.config.markable import unmarkable
from app.config.nodes import Path
from app.config.parts import Parts
from app.config.signals import compile_signals
from app.config.unused import unused
from app.config.vocabulary import tiers_named
from app.guard import Blocked, GuardPolicy, judge_url


def lints(parts: Parts) -> Iterator[Flaw]:
    """Everything of the kind, in no order. Only for a document without errors: what cannot be read looks like a hole."""
    yield from _no_default(parts)
    yield from _priority_holes(parts)
    yield from _tiers_without_policy(parts)
    yield from unused(parts)
    yield from _silent_steps(parts)
    yield from unmarkable(parts)
    yield from _idle_signals(parts)
    yield from _quiet_ladders(parts)
    yield from _blocked_urls(parts)
    yield from _never_grouped(parts)


def _has_default(parts: Parts) -> bool:
    """Whether every ticket has a policy; so it is without the section, by the built-in one."""
    return parts.tree.data.get("policies") is None or any(policy.match is None for policy in parts.policies.values())


def _no_default(parts: Parts) -> Iterator[Flaw]:
    if _has_default(parts):
        return
    last: Path = ("policies", len(parts.policies) - 1) if parts.policies else ("policies",)
    message = "no policy is without match, so a ticket that none of them matches is promised nothing"
    yield Flaw(parts.tree.key_place(last), "no-default-policy", message)


def _priority_holes(parts: Parts) -> Iterator[Flaw]:
    for index, policy in parts.policies.items():
        for metric, goal in policy.targets.items():
            missing = [word for word in PRIORITIES if word not in goal.within]
            if missing and "default" not in goal.within:
                message = f"{metric} is promised nothing for the priorities {', '.join(missing)}; add default, or name them"
                yield Flaw(parts.tree.value_place(("policies", index, "targets", metric)), "priority-hole", message)


def _tiers_without_policy(parts: Parts) -> Iterator[Flaw]:
    if _has_default(parts):
        return
    named = tiers_named(parts.sections)
    seen: set[str] = set()
    for index, tier in parts.tiers.items():
        word = tier.name.casefold()
        if word not in named and word not in seen:
            seen.add(word)
            place = parts.tree.value_place(("tiers", index, "name"))
            yield Flaw(place, "tier-without-policy", f"no policy names the tier {shown(tier.name)}, and none is for all the rest")


def _silent_steps(parts: Parts) -> Iterator[Flaw]:
    for name, ladder in parts.ladders.items():
        for index, step in enumerate(ladder.steps):
            if not step.model_fields_set & {"notify", "write_back"}:
                place = parts.tree.value_place(("escalations", name, "steps", index))
                yield Flaw(place, "silent-step", "this step tells nobody; add notify or write_back (an empty notify says that it is meant)")


def _idle_signals(parts: Parts) -> Iterator[Flaw]:
    for rule in compile_signals(parts.head.signals, parts.made):
        if not any(knobs.is_set for knobs in (rule.knobs, *rule.tiers.values())):
            place = parts.tree.key_place(("signals", rule.name))
            yield Flaw(place, "idle-signal", f"{rule.name} has no threshold, so it is never raised")


def _quiet_ladders(parts: Parts) -> Iterator[Flaw]:
    """A ladder that nobody hears while clocks run on: every channel of it is quiet outside hours that the clocks do not keep."""
    for index, policy in parts.policies.items():
        ladder = parts.ladders.get(policy.escalation or "")
        if ladder is None:
            continue
        clocks = {goal.calendar or policy.calendar for goal in policy.targets.values()}
        quiet = [_quiet_outside(parts, step, name) for step in ladder.steps for name in step.notify]
        if quiet and None not in quiet and clocks - set(quiet):
            message = (
                f"every channel of {shown(policy.escalation)} has quiet hours, but clocks of this policy run in them: nobody is told then"
            )
            yield Flaw(parts.tree.value_place(("policies", index, "escalation")), "quiet-ladder", message)


def _quiet_outside(parts: Parts, step: StepEntry, name: str) -> str | None:
    """The calendar outside which the step is not heard on this channel; None when it always is."""
    quiet = parts.channels[name].manners.quiet
    if quiet is None or (quiet.override == "immediate" and step.immediate):
        return None
    return quiet.outside


def _blocked_urls(parts: Parts) -> Iterator[Flaw]:
    for name, channel in parts.channels.items():
        url = getattr(channel.config, "url", None)
        text = url.get_secret_value() if isinstance(url, SecretStr) else url
        if channel.config is None or not isinstance(text, str):
            continue
        try:
            judge_url(text, GuardPolicy(parts.head.delivery.allow_networks, allow_http=channel.config.allow_http))
        except Blocked as blocked:
            yield Flaw(
                parts.tree.value_place(("channels", name, "url")), "blocked-url", f"the address guard will refuse this: {blocked.detail}"
            )


def _never_grouped(parts: Parts) -> Iterator[Flaw]:
    for name, channel in parts.channels.items():
        if channel.manners.group is not None and channel.config is not None and not channel.config.groups:
            message = f"channels of the kind {channel.config.kind} hear every notice by itself: group has no effect here"
            yield Flaw(parts.tree.key_place(("channels", name, "group")), "never-grouped", message)
