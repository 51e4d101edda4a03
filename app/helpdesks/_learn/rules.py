"""The rule that reads the ticket as it is."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from app.helpdesks._learn import guesses, words
from app.helpdesks._learn.document import Note
from app.helpdesks._learn.found import Found
from app.helpdesks._learn.samples import MESSAGES, TICKETS, Path, Place, best, expression, tokens

_FACTS: Final[tuple[tuple[str, Callable[[Place], int]], ...]] = (
    ("subject", guesses.subject), ("group", guesses.group), ("assignee", guesses.assignee), ("requester", guesses.requester),
    ("organization", guesses.organization), ("channel", guesses.channel), ("tags", guesses.tags),
)  # fmt: skip
_MAY_BE_NOBODY: Final = ("group", "assignee")


def ticket_rule(found: Found) -> dict[str, Any]:
    """The rule that reads the ticket as it is."""
    rule: dict[str, Any] = {"ticket": _ticket(found)}
    rule["at"] = change_time(found)
    rule |= _created(found)
    if actor := _actor(found):
        rule["actor"] = actor
    rule["set"] = _facts(found)
    link, _ = best(found.samples.places, guesses.url)
    if link is not None:
        rule["url"] = expression(link.path)
    return {name: value for name, value in rule.items() if value not in (None, {})}


def _ticket(found: Found) -> Any:
    rivals = [place for place in best(found.samples.places, guesses.ticket)[1] if place != found.ticket]
    said = f"or {', '.join(expression(rival.path) for rival in rivals)}" if rivals else ""
    return Note(expression(found.ticket.path), said) if said else expression(found.ticket.path)


def _with_rivals(places: Iterable[Place], score: Callable[[Place], int], remark: str) -> Any:
    """The best place as an expression, remarked when another one comes close; None without any."""
    place, rivals = best(places, score)
    if place is None:
        return None
    also = f"or {', '.join(expression(rival.path) for rival in rivals)}" if rivals else ""
    said = "; ".join(part for part in (remark, also) if part)
    return Note(expression(place.path), said) if said else expression(place.path)


def change_time(found: Found) -> Any:
    """When the change was made, as an expression; the time of receipt, remarked, when nothing says it."""
    if found.happened is not None:
        return _with_rivals(found.samples.places, guesses.happened, "")
    return Note("`null`", "UNSURE: nothing in the sample says when the change was made; the time of receipt is used")


def _created(found: Found) -> dict[str, Any]:
    """`created`: by the event's word where a sample shows a creation, else by the ticket's own time."""
    born = [
        word
        for word in found.event_words
        if set(tokens(word)) & {"created", "create", "new", "opened"} and not set(tokens(word)) & MESSAGES
    ]
    if born:
        return {"created": found.by_event(dict.fromkeys(born, True), default=False)}
    return {"created": expression(found.created.path)} if found.created else {}


def _actor(found: Found) -> dict[str, Any]:
    who, _ = best(found.samples.places, guesses.actor)
    if who is None:
        return {}
    role, _ = best(_siblings(found.samples.places, who.path[:-1]), guesses.role)
    return {"id": expression(who.path)} | ({"role": role_of(role, "body")} if role else {})


def _siblings(places: Iterable[Place], above: Path) -> tuple[Place, ...]:
    return tuple(place for place in places if above and place.path[:-1] == above)


def _facts(found: Found) -> dict[str, Any]:
    places = found.samples.places
    facts: dict[str, Any] = {}
    for name, score, meanings in (("status", guesses.status, words.statuses), ("priority", guesses.priority, words.priorities)):
        place, rivals = best(places, score)
        if place is not None:
            facts[name] = _mapped(place, rivals, meanings(place.told))
    for name, guess in _FACTS:
        if (value := _fact(name, best(places, guess)[0], found)) is not None:
            facts[name] = value
    if found.created is not None and _is_by_event(found):
        facts["created_at"] = expression(found.created.path)
    gone = [
        word for word in found.event_words if set(tokens(word)) & {"deleted", "removed", "trashed"} and not set(tokens(word)) & MESSAGES
    ]
    if gone and all(set(tokens(word)) & TICKETS or len(tokens(word)) == 1 for word in gone):
        facts["deleted"] = found.by_event(dict.fromkeys(gone, True), default=False)
    return facts


def _is_by_event(found: Found) -> bool:
    return isinstance(_created(found).get("created"), dict)


def _mapped(place: Place, rivals: tuple[Place, ...], meanings: words.Meanings) -> Any:
    found, unsure = meanings
    value: Any = {"from": expression(place.path), "map": found} if found else expression(place.path)
    remarks = [f"UNSURE what {', '.join(map(repr, unsure))} means" if unsure else "", "other words need a line in `map`" if found else ""]
    remarks.append(f"or {', '.join(expression(rival.path) for rival in rivals)}" if rivals else "")
    said = "; ".join(part for part in remarks if part)
    return Note(value, said) if said else value


def _fact(name: str, place: Place | None, found: Found) -> Any:
    if place is None or place == found.ticket:
        return None
    if name in _MAY_BE_NOBODY and (None in place.values or "" in place.values):
        nothing = {None: None} if None in place.values else {}
        empty = {"": None} if "" in place.values else {}
        remark = "nothing there means nobody; if the helpdesk sometimes leaves the field out, take the map away"
        return Note({"from": expression(place.path), "map": nothing | empty}, remark)
    if name == "tags" and any(isinstance(value, str) for value in place.told):
        return Note(expression(place.path), "words between commas or blanks")
    return expression(place.path) if place.told or name == "tags" else None


def role_of(place: Place, base: str) -> Any:
    """A role: a flag or a word, and what it means."""
    path = expression(place.path, base)
    if place.is_flags():
        is_agents = bool(set(place.words) & guesses.AGENT_FLAGS)
        yes, no = ("agent", "customer") if is_agents else ("customer", "agent")
        return {"from": path, "map": {"true": yes, "false": no}, "default": "unknown"}
    meanings, unsure = words.roles(place.told)
    value = {"from": path} | ({"map": meanings} if meanings else {}) | {"default": "unknown"}
    return Note(value, f"UNSURE what {', '.join(map(repr, unsure))} means") if unsure else value
