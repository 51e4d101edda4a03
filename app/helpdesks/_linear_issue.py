"""The places of Linear's webhooks where an issue's facts are."""

from typing import Final

from app.helpdesks import SourceConfig, _common
from app.helpdesks._json import Node
from app.helpdesks._words import fold
from app.rules.events import EventKind, FactValue

STATUSES: Final = {
    "triage": "new", "backlog": "new", "unstarted": "new", "started": "open",
    "completed": "solved", "canceled": "closed", "cancelled": "closed", "duplicate": "closed",
}  # fmt: skip
"""Type of a workflow state -> status."""

PRIORITIES: Final = {"1": "urgent", "2": "high", "3": "normal", "medium": "normal", "4": "low"}
NO_PRIORITY: Final = "0"

_CHANGES: Final = (
    ("stateId", EventKind.TICKET_STATUS_CHANGED),
    ("priority", EventKind.TICKET_PRIORITY_CHANGED),
    ("assigneeId", EventKind.TICKET_ASSIGNED),
    ("teamId", EventKind.TICKET_ASSIGNED),
)
_DONE: Final = ("completedAt", "canceledAt")
_TRACKERS: Final = ("github", "gitlab", "jira")


def kind_of(body: Node) -> EventKind:
    """What the webhook of an issue says."""
    action = body.at("action").word()
    if action in ("create", "remove"):
        return EventKind.TICKET_CREATED if action == "create" else EventKind.TICKET_DELETED
    if action not in ("update", "restore"):
        return EventKind.TICKET_SNAPSHOT
    former, issue = body.look("updatedFrom"), body.at("data")
    if any(not former.look(name).is_blank and issue.at(name).is_blank for name in _DONE):
        return EventKind.TICKET_REOPENED
    return next((kind for name, kind in _CHANGES if former.look(name).is_told), EventKind.TICKET_UPDATED)


def facts(issue: Node, config: SourceConfig, remarks: list[str]) -> dict[str, FactValue]:
    """What the issue tells, whole or beside a comment."""
    told = plain_facts(issue)
    if (word := _status_word(issue.at("state"), config)) is not None:
        told |= _common.status_facts(word, config.status_words, remarks)
    if (priority := issue.at("priority").word()) is not None:
        told |= _priority(priority, config, remarks)
    if issue.at("labels").is_told:
        told["tags"] = _common.names(issue.at("labels"), "name")
    if (assignee := issue.at("assigneeId")).is_told or issue.at("assignee").is_told:
        told["assignee"] = assignee.id() or issue.at("assignee", "id").id()
    if (requester := external_user(issue, "externalUserCreator")) is not None:
        told["requester"] = requester
    return told


def _priority(word: str, config: SourceConfig, remarks: list[str]) -> dict[str, FactValue]:
    """0 is no priority at all, unless the source's `priority_map` says what it is."""
    if word == NO_PRIORITY and config.priority_words.get(word) is None:
        return {"priority": None}
    return _common.priority_facts(word, config.priority_words, remarks)


def plain_facts(issue: Node) -> dict[str, FactValue]:
    """What needs no map."""
    told: dict[str, FactValue] = {}
    group = _common.name_of(issue.at("team"), "name", "key")
    for fact, word in (
        ("subject", issue.at("title").word()), ("number", _number(issue)), ("group", group),
        ("project", _common.name_of(issue.at("project"), "name")),
    ):  # fmt: skip
        if word is not None:
            told[fact] = word
    if (created_at := issue.at("createdAt").instant()) is not None:
        told["created_at"] = created_at
    return told


def changed_facts(body: Node, issue: Node) -> dict[str, FactValue]:
    """What the change itself tells: a deletion, and a null that older webhooks leave out."""
    former, told = body.look("updatedFrom"), dict[str, FactValue]()
    if body.at("action").value == "remove" or issue.at("trashed").flag():
        told["deleted"] = True
    elif issue.at("trashed").is_told or former.look("trashed").is_told or body.at("action").value == "restore":
        told["deleted"] = False
    if former.look("assigneeId").is_told and not issue.at("assigneeId").is_told and not issue.at("assignee").is_told:
        told["assignee"] = None
    return told


def external_user(place: Node, name: str) -> str | None:
    """Somebody from outside the workspace: their address, else their id; None when there is nobody."""
    user = place.at(name)
    if isinstance(user.value, dict) and (told := user.at("email").word() or user.at("id").id()) is not None:
        return told
    return place.at(f"{name}Id").id()


def is_synced(comment: Node) -> bool:
    """Whether a comment stands in a thread that is synced with one the customer sees (an inference: Linear documents the field's name and
    its services, not who reads them). Threads synced with another tracker are our own.
    """
    told = comment.at("syncedWith")
    services = _common.names(told, "service") if isinstance(told.value, list) else (_common.name_of(told, "service"),)
    return any(service is not None and service.casefold() not in _TRACKERS for service in services)


def _status_word(state: Node, config: SourceConfig) -> str | None:
    """The state's name where the source's `status_map` has it, else its type."""
    if not isinstance(state.value, dict):
        return state.word()
    name, kind = state.at("name").word(), state.at("type").word()
    ours = {fold(word) for word in config.status_map}
    return name if name is not None and (kind is None or fold(name) in ours) else kind


def _number(issue: Node) -> str | None:
    """`ENG-12`, as people call it."""
    told, team, number = issue.at("identifier").word(), issue.look("team", "key").word(), issue.at("number").word()
    return told or (f"{team}-{number}" if team and number else number)
