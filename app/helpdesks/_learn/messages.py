"""The rule that reads what was said."""

from dataclasses import replace
from typing import Any

from app.helpdesks._learn import guesses, words
from app.helpdesks._learn.document import Note
from app.helpdesks._learn.found import SAID, Found
from app.helpdesks._learn.rules import change_time, role_of
from app.helpdesks._learn.samples import MESSAGES, Path, Place, best, expression, tokens


def message_rule(found: Found) -> dict[str, Any] | None:
    """The rule that reads what was said; None when no sample shows a message."""
    container = _container(found)
    if container is None:
        return None
    path, inside, root = container
    inside = tuple(replace(place, path=place.path[len(path) :]) for place in inside) if root == "body" else inside
    base = expression(path) if root == "body" and path else root
    rule: dict[str, Any] = {"each": expression(path)} if root == "item" else {"when": _when(path, inside)}
    rule["ticket"] = expression(found.ticket.path)
    own_id, _ = best(inside, _own_id)
    said_at, _ = best(inside, guesses.said_at)
    if own_id is not None:
        rule["key"] = expression(own_id.path, base)
    rule["at"] = expression(said_at.path, base) if said_at else change_time(found)
    rule["actor"] = _writer(found, inside, base)
    message: dict[str, Any] = {"id": expression(own_id.path, base)} if own_id else {}
    rule["message"] = message | {"public": _public(found, inside, base)}
    return {name: value for name, value in rule.items() if value not in (None, {})}


def _container(found: Found) -> tuple[Path, tuple[Place, ...], str] | None:
    """Where the message is: an object, the elements of a list, or the top of the body; the richest wins."""
    samples = found.samples
    objects = [(path, samples.under(path), "body") for path in samples.objects if set(tokens(path[-1])) & MESSAGES]
    lists = [(path, inner.places, "item") for path, inner in samples.lists.items() if path and set(tokens(path[-1])) & MESSAGES]
    scored = [(_richness(inside, len(path) if root == "body" else 0), path, inside, root) for path, inside, root in (*objects, *lists)]
    scored = [one for one in scored if one[0] > 0]
    if scored:
        _, path, inside, root = max(scored, key=lambda one: (one[0], -len(one[1])))
        return path, inside, root
    return ((), found.top, "body") if found.top else None


def _richness(inside: tuple[Place, ...], depth: int) -> int:
    """How much of a message is here; 0 when neither its words nor who can see it are."""
    own = tuple(replace(place, path=place.path[depth:]) for place in inside if len(place.path) > depth)
    has_body, has_flag = best(own, guesses.body)[0] is not None, best(own, guesses.visible)[0] is not None
    if not (has_body or has_flag):
        return 0
    return (
        50 * has_body + 30 * has_flag + 20 * (best(own, guesses.author)[0] is not None) + 10 * (best(own, guesses.said_at)[0] is not None)
    )


def _when(path: Path, inside: tuple[Place, ...]) -> str:
    if path:
        return expression(path)
    text, _ = best(inside, guesses.body)
    assert text is not None
    return expression(text.path)


def _own_id(place: Place) -> int:
    if not place.is_ids() or not place.words or place.words[-1] not in ("id", "uuid", "key"):
        return 0
    if len(place.words) == 1:
        return 90 - 30 * (len(place.path) - 1)
    return 95 if set(place.words[:-1]) & MESSAGES else 0


def _writer(found: Found, inside: tuple[Place, ...], base: str) -> dict[str, Any]:
    who, _ = best(inside, guesses.author)
    role, _ = best(inside, guesses.role)
    by_event = {word: kind for word in found.event_words if (kind := _side(word))}
    actor: dict[str, Any] = {"id": expression(who.path, base)} if who else {}
    if role is not None:
        return actor | {"role": role_of(role, base)}
    if by_event:
        return actor | {"role": found.by_event(by_event, default="unknown")}
    remark = "UNSURE: nothing in the sample says who wrote; unknown is never a first response (name your agents in `actor_map`)"
    return actor | {"role": Note("'unknown'", remark)}


def _side(word: str) -> str | None:
    sides = {words.ROLES.get(token, token if token in ("agent", "customer") else None) for token in tokens(word)} - {None}
    found = sides & {"agent", "customer"}
    return found.pop() if len(found) == 1 else None


def _public(found: Found, inside: tuple[Place, ...], base: str) -> Any:
    """Whether the customer can see it: a flag, a word, or the event's name. A wrong yes would count as a reply, so in doubt it is no."""
    place, _ = best(inside, guesses.visible)
    if place is None:
        notes = {
            word: "note" not in tokens(word) and "internal" not in tokens(word) for word in found.event_words if set(tokens(word)) & SAID
        }
        if notes and set(notes.values()) == {True, False}:
            return Note(found.by_event(notes, default=False), "UNSURE: guessed from the names of the events")
        return Note(False, "UNSURE: nothing in the sample says whether the customer can see it; until you do, no message counts as a reply")
    path = expression(place.path, base)
    if not place.is_flags():
        meanings, _ = words.visibilities(place.told)
        return Note({"from": path, "map": meanings, "default": False}, "words that are not listed are taken for internal")
    if set(place.words) & guesses.PRIVATE_FLAGS:
        return {"from": path, "map": {"true": False, "false": True}}
    return path
