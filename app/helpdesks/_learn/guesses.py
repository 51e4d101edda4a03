"""Which place of a sample holds what, by names and by shapes. Scores only rank: the highest wins, and close rivals are named."""

from typing import Final

from app.helpdesks._learn import words
from app.helpdesks._learn.samples import ENVELOPES, MESSAGES, TICKETS, Place

_IDS: Final = {"id": 0, "key": -3, "uuid": -5, "number": -10, "no": -12, "ref": -15, "reference": -15, "code": -15}
_DELIVERIES: Final = frozenset({"delivery", "event", "webhook", "hook", "notification", "request"})
_EVENTS: Final = frozenset({"event", "action", "topic", "trigger", "type", "kind"})
_PEOPLE: Final = {"email": 12, "address": 8, "mail": 8, "login": 6, "username": 6, "id": 5, "name": 0}
_REQUESTERS: Final = frozenset({"requester", "customer", "contact", "reporter", "client", "requestor"})
_ASSIGNEES: Final = frozenset({"assignee", "assigned", "responder", "handler", "technician", "owner", "agent"})
_GROUPS: Final = frozenset({"group", "team", "queue", "department", "mailbox", "inbox"})
_COMPANIES: Final = frozenset({"organization", "organisation", "company", "account"})
_ACTORS: Final = frozenset({"actor", "performer", "initiator", "performed", "triggered", "editor", "changed"})
_AUTHORS: Final = frozenset({"author", "sender", "user", "from", "creator", "by", "actor", "created"})
_ROLE_NAMES: Final = frozenset({"role", "type", "kind", "direction", "side"})
AGENT_FLAGS: Final = frozenset({"staff", "agent", "outgoing", "outbound"})
CUSTOMER_FLAGS: Final = frozenset({"customer", "incoming", "inbound", "enduser"})
PRIVATE_FLAGS: Final = frozenset({"private", "internal", "note", "hidden", "confidential"})
_BODIES: Final[dict[tuple[str, ...], int]] = {
    ("body",): 90, ("text",): 85, ("content",): 85, ("plain", "body"): 80, ("body", "text"): 80, ("message",): 70, ("comment",): 70,
}  # fmt: skip
_SHOWN_BY: Final = frozenset({"visibility", "scope", "type", "kind", "category", "access"})


def ticket(place: Place) -> int:
    """The ticket's id."""
    if not place.is_ids():
        return 0
    *head, last = [word for word in place.words if word not in ("display", "human", "public")] or [""]
    if not head and last in TICKETS:
        return 85
    if last not in _IDS:
        return 0
    if set(head) & TICKETS:
        base = 100 - 10 * place.in_message
    elif head:
        return 0
    elif place.parents and place.parents[-1] in TICKETS:
        base = 95
    elif place.in_message:
        return 0
    else:
        base = 60 if place.parents and place.parents[-1] in ENVELOPES else 40 if not place.parents else 0
    return max(0, base + _IDS[last]) if base else 0


def delivery(place: Place) -> int:
    """The id of the delivery itself; a bare `id` at the top, if the ticket's is another."""
    if len(place.path) > 2 or not place.is_ids():
        return 0
    *head, last = place.words or ("",)
    if last in ("id", "uuid") and set(head) & _DELIVERIES:
        return 90
    is_own = not head and last in ("id", "uuid") and (not place.parents or place.parents[-1] in _DELIVERIES)
    return 50 if is_own else 0


def event(place: Place) -> int:
    """The word for what happened."""
    if len(place.path) > 2 or not place.is_words() or place.above & (MESSAGES | TICKETS) or place.is_flags():
        return 0
    if not all(isinstance(value, str) for value in place.told) or not set(place.words) & _EVENTS or set(place.words) & {"id", "time", "at"}:
        return 0
    return 90 - 20 * ("event" not in place.words) - 10 * (len(place.path) - 1)


def happened(place: Place) -> int:
    """When the change was made."""
    if not place.is_times() or set(place.words) & {"due", "created", "closed", "resolved", "opened", "snoozed"}:
        return 0
    said = set(place.words)
    if said & {"occurred", "timestamp", "happened", "fired", "triggered", "event"} and len(place.path) <= 2:
        return 95
    if said & {"updated", "modified", "changed", "update"}:
        return 40 if place.in_message else 75
    return 60 if said & {"time", "date", "at"} and len(place.path) == 1 else 0


def created(place: Place) -> int:
    """When the ticket was created."""
    if not place.is_times() or place.in_message or not set(place.words) & {"created", "opened", "creation"}:
        return 0
    return 90 if place.above & TICKETS else 70 if not place.parents or place.parents[-1] in ENVELOPES else 0


def said_at(place: Place) -> int:
    """When a message was written: for places of a message."""
    if not place.is_times():
        return 0
    return 90 if set(place.words) & {"created", "sent", "posted", "date", "timestamp", "time"} else 30


def status(place: Place) -> int:
    """The status: its word, or the name of the record it is."""
    return _word_of(place, {"status", "state"})


def priority(place: Place) -> int:
    """The priority; an urgency or severity for want of one."""
    return _word_of(place, {"priority"}) or _word_of(place, {"urgency", "severity"}) // 2


def _word_of(place: Place, names: set[str]) -> int:
    """A place called by one of these names, or the name of the record that is."""
    if not place.is_words() or place.is_flags() or place.in_message:
        return 0
    said = place.words
    if said and said[-1] in names and not set(said) & {"previous", "old", "from", "code"}:
        return 80 + 10 * bool(place.above & TICKETS) - 5 * (len(said) - 1)
    if place.parents and place.parents[-1] in names and said in (("name",), ("label",), ("key",), ("value",)):
        return 78 + 10 * bool(place.above & TICKETS) - (said != ("name",))
    return 0


def subject(place: Place) -> int:
    """The subject."""
    texts = bool(place.told) and all(isinstance(value, str) for value in place.told)
    names: dict[tuple[str, ...], int] = {("subject",): 90, ("title",): 85, ("summary",): 80}
    return names.get(place.words, 0) if texts and not place.in_message else 0


def requester(place: Place) -> int:
    """Who asked: best by address."""
    return _person(place, _REQUESTERS)


def assignee(place: Place) -> int:
    """Who has it: best by address."""
    return _person(place, _ASSIGNEES)


def group(place: Place) -> int:
    """The team or queue that has it."""
    return _named(place, _GROUPS)


def organization(place: Place) -> int:
    """The requester's company."""
    return _named(place, _COMPANIES)


def actor(place: Place) -> int:
    """Who made the change: outside messages."""
    return _person(place, _ACTORS) or (_person(place, frozenset({"user"})) if len(place.path) <= 2 else 0)


def author(place: Place) -> int:
    """Who wrote a message: for places of a message."""
    score = _person(place, _AUTHORS, in_message=True)
    return 0 if set(place.words) & {"is", "role", "type", "at"} else score


def _person(place: Place, names: frozenset[str], *, in_message: bool = False) -> int:
    """A person's address, id or name: `requester_email`, `requester.email`, `requester`. Nobody at all (null) may stand there too."""
    if place.in_message and not in_message:
        return 0
    if (place.told and not all(isinstance(v, str | int) and not isinstance(v, bool) for v in place.told)) or place.is_times():
        return 0
    said = place.words
    if said and said[-1] in _PEOPLE and (set(said[:-1]) & names or (len(said) == 1 and place.parents and set(place.parents) & names)):
        return 70 + _PEOPLE[said[-1]]
    return 72 if said and set(said) <= names | {"to", "by", "assigned"} and set(said) & names else 0


def _named(place: Place, names: frozenset[str]) -> int:
    if place.in_message or (place.told and not place.is_words()):
        return 0
    said = place.words
    if (
        said
        and said[-1] in ("name", "id", "key")
        and (set(said[:-1]) & names or (len(said) == 1 and place.parents and place.parents[-1] in names))
    ):
        return 80 - 5 * (said[-1] != "name")
    return 78 if said and said[-1] in names else 0


def channel(place: Place) -> int:
    """How the ticket came in."""
    return 60 if place.is_words() and not place.in_message and place.words in (("channel",), ("via",), ("source",)) else 0


def url(place: Place) -> int:
    """A link to the ticket, for people: no API, no picture."""
    links = bool(place.told) and all(isinstance(v, str) and v.startswith(("http://", "https://")) for v in place.told)
    said = set(place.words)
    if not links or place.in_message or len(place.path) > 2 or not said & {"url", "link", "permalink", "href"}:
        return 0
    return 0 if said & {"icon", "avatar", "logo", "api"} else 50 + 30 * bool((place.above | said) & TICKETS)


def tags(place: Place) -> int:
    """Tags: a list, or words in a text."""
    lists = all(isinstance(value, list | str) or value is None for value in place.values)
    return 80 if lists and not place.in_message and place.words in (("tags",), ("labels",), ("tag", "list")) else 0


def body(place: Place) -> int:
    """The text of a message: for places of a message."""
    texts = bool(place.told) and all(isinstance(value, str) for value in place.told)
    return _BODIES.get(place.words, 0) if texts else 0


def visible(place: Place) -> int:
    """What says whether the customer can see a message: a flag, or a word."""
    if place.is_flags():
        said = set(place.words)
        return 95 if said & {"public", "visible"} else 90 if said & PRIVATE_FLAGS else 0
    if not place.is_words() or not set(place.words) & _SHOWN_BY or place.above & _AUTHORS:
        return 0
    return (80 if "visibility" in place.words else 60) * all(words.knows_visibility(value) for value in place.told)


def role(place: Place) -> int:
    """What says who wrote a message, or made a change: a flag, or a word."""
    said = set(place.words)
    if place.is_flags():
        return 90 if said & (AGENT_FLAGS | CUSTOMER_FLAGS) else 0
    if not place.is_words():
        return 0
    if said and said <= _AUTHORS:
        return 75 * all(words.knows_role(value) for value in place.told)
    if not said & _ROLE_NAMES or not (place.above | said) & (_AUTHORS | _ACTORS | {"role", "direction"}):
        return 0
    return (85 if "role" in said else 80) * all(words.knows_role(value) for value in place.told)
