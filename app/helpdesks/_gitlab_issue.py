"""Where an issue's facts are in GitLab's hooks: issue hooks have the issue in `object_attributes`, note hooks beside the note."""

from typing import Final

from app.helpdesks import _common, _json
from app.helpdesks._json import Node
from app.rules.events import EventKind, FactValue

_ACTIONS: Final = {
    "open": EventKind.TICKET_CREATED,
    "close": EventKind.TICKET_STATUS_CHANGED,
    "reopen": EventKind.TICKET_REOPENED,
}
_CHANGES: Final = (("state_id", EventKind.TICKET_STATUS_CHANGED), ("assignees", EventKind.TICKET_ASSIGNED))
_STATES: Final = {"1": "opened", "2": "closed"}


def noted(body: Node) -> Node:
    """The issue that a note is on."""
    return body.at("issue") if body.at("issue").is_told else body.at("work_item")


def ticket(body: Node, issue: Node) -> str:
    """`group/project#iid`, or the project's number for its path where groups are nested so deep that this is too long. Unreadable when
    the body does not tell both.
    """
    path, number = body.at("project", "path_with_namespace"), issue.at("iid")
    named, told = path.word(), number.id()
    if named is None or told is None:
        (path if named is None else number).refuse("does not name the issue")
    whole = f"{named}#{told}"
    return whole if len(whole) <= _json.ID_MAX else f"{body.at('project', 'id').id()}#{told}"[: _json.ID_MAX]


def kind_of(body: Node, issue: Node) -> EventKind:
    """What an issue hook says; one without an action comes from the Test button and says only how things stand."""
    action = issue.at("action").word()
    if action is None:
        return EventKind.TICKET_SNAPSHOT
    if action in _ACTIONS:
        return _ACTIONS[action]
    return next((kind for name, kind in _CHANGES if body.look("changes", name).is_told), EventKind.TICKET_UPDATED)


def state(issue: Node) -> str | None:
    """`opened`, `closed`, `reopened`; None when the issue does not tell."""
    told = issue.at("state").word()
    return told.casefold() if told is not None else _STATES.get(issue.at("state_id").word() or "")


def labels(body: Node, issue: Node) -> tuple[str, ...] | None:
    """The titles of the issue's labels; None when they are not told."""
    place = issue.at("labels") if issue.at("labels").is_told else body.at("labels")
    return _common.names(place, "title", "name") if place.is_told else None


def former_labels(body: Node) -> tuple[str, ...]:
    """The titles of the labels the issue had before this change; none when they did not change."""
    return _common.names(body.look("changes", "labels", "previous"), "title", "name")


def assignee(body: Node, issue: Node) -> dict[str, FactValue]:
    """Who is assigned, by user name; None for nobody; nothing where the hook tells no name."""
    named = next(iter(_common.names(body.at("assignees"), "username")), None) or body.at("assignee", "username").word()
    if named is not None:
        return {"assignee": named}
    ids = issue.at("assignee_ids") if issue.at("assignee_ids").is_told else issue.at("assignee_id")
    return {"assignee": None} if ids.is_told and ids.value in (None, [], 0) else {}


def is_author(body: Node, issue: Node) -> bool:
    """Whether the hook's user is who opened the issue."""
    user, author = body.at("user", "id").id(), issue.at("author_id").id()
    return user == author if user is not None else issue.at("action").value == "open"


def is_public(body: Node) -> bool:
    """Whether the customer sees a note: internal ones say so; before GitLab did, a confidential note on an issue that is not confidential
    was one.
    """
    note = body.at("object_attributes")
    told = [flag for name in ("internal", "confidential") if (flag := note.at(name).flag()) is not None]
    if told:
        return not any(told)
    return not (body.at("event_type").value == "confidential_note" and noted(body).at("confidential").flag() is False)


def plain_facts(body: Node, issue: Node) -> dict[str, FactValue]:
    """What needs no map."""
    facts: dict[str, FactValue] = {}
    for fact, place in (
        ("subject", issue.at("title")), ("number", issue.at("iid")), ("repository", body.at("project", "path_with_namespace")),
        ("severity", issue.at("severity")), ("escalation_status", issue.at("escalation_status")),
    ):  # fmt: skip
        if (word := place.word()) is not None and word != "unknown":
            facts[fact] = word
    if (kind := issue.at("type").word()) is not None:
        facts["type"] = kind.lower()
    if (confidential := issue.at("confidential").flag()) is not None:
        facts["confidential"] = confidential
    if (url := _json.web_address(issue.at("url").word())) is not None:
        facts["url"] = url
    if (created_at := issue.at("created_at").instant()) is not None:
        facts["created_at"] = created_at
    if not issue.at("moved_to_id").is_blank:
        facts["merged_into"] = _common.SOMEWHERE
    contacts = _common.each(issue.at("customer_relations_contacts"))
    if contacts and (organization := contacts[0].look("organization_id").id()) is not None:
        facts["organization"] = organization
    return facts
