"""ServiceNow: one PATCH of the record by the table API, work notes with it.

https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html

A priority is computed from impact and urgency, so those are set. A tag is a field of your own, of the type true/false: `u_` and the tag, or
what `tag_fields` names. Limits are each instance's own.
"""

import re
from typing import Any, ClassVar, Final, Self

from pydantic import Field, model_validator

from app.helpdesks import PriorityWord, Secret
from app.helpdesks._servicenow_words import status_words
from app.helpdesks.writing import BaseUrl, Calls, Desk, Done, Order, Stop, WriteBackConfig
from app.helpdesks.writing._calls import ask, basic, bearer, dig, fetch, has_note, request, segment

_SYS_ID: Final = re.compile(r"[0-9a-f]{32}")
_FIELDS: Final = ("sys_id", "state", "priority", "assignment_group", "assigned_to")
_RAISED: Final = {
    "low": {"impact": "3", "urgency": "2"},
    "normal": {"impact": "2", "urgency": "2"},
    "high": {"impact": "2", "urgency": "1"},
    "urgent": {"impact": "1", "urgency": "1"},
}


class Config(WriteBackConfig):
    """How breaches are marked in ServiceNow."""

    published_per_minute: ClassVar[float] = 300

    url: BaseUrl = Field(description="`https://acme.service-now.com`")
    table: str = Field(default="incident", pattern=r"^[a-z0-9_]{1,80}$", description="The table of the records.")
    user: str | None = Field(default=None, description="The API user's name (basic authentication).")
    password: Secret | None = None
    token: Secret | None = Field(default=None, description="A bearer token, instead of user and password.")
    tag_fields: dict[str, str] = Field(default_factory=dict, description="A tag as ladders name it -> the true/false field that holds it.")
    raise_by: dict[PriorityWord, dict[str, str]] = Field(
        default_factory=dict, description="Canonical priority -> the fields to set for it; by itself impact and urgency."
    )

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        if self.token is None and (self.user is None or self.password is None):
            raise ValueError("write_back needs `user` and `password`, or a `token`")
        return self

    @property
    def auth(self) -> dict[str, str]:
        if self.token is not None or self.password is None:
            return bearer(self.token or "")
        return basic(self.user or "", self.password)

    def field(self, tag: str) -> str:
        """The field that holds a tag."""
        return self.tag_fields.get(tag) or "u_" + re.sub(r"[^a-z0-9]+", "_", tag.lower())


def write(order: Order, desk: Desk) -> Calls[None]:
    """Read the record, by its id or number, then change what differs in one go."""
    config: Config = desk.config
    table = f"{config.url}/api/now/table/{config.table}"
    fields = ",".join([*_FIELDS, *(config.field(tag) for tag in order.tags)])
    key = "sys_id" if _SYS_ID.fullmatch(order.ticket) else "number"
    if "^" in order.ticket:
        raise Stop(Done("this is no id or number of a record"))
    query = {
        "sysparm_query": f"{key}={order.ticket}",
        "sysparm_fields": fields,
        "sysparm_exclude_reference_link": "true",
        "sysparm_limit": "1",
    }
    found = dig((yield from fetch(request("GET", table, config.auth, query=query))), "result")
    if not isinstance(found, list) or not found:
        raise Stop(Done("there is no such record: it was deleted, or our user may not see it", dropped=True))
    record = found[0]
    desk.require_open(order, dig(record, "state"), status_words(config.table, desk.source))
    changes = _changes(order, desk, record)
    sys_id = str(dig(record, "sys_id"))
    if order.note is not None and not (order.is_repeat and (yield from has_note(_notes(config, sys_id, order.marker), order.marker))):
        changes["work_notes"] = order.note
    if changes:
        yield from ask(request("PATCH", f"{table}/{segment(sys_id)}", config.auth, changes))


def _changes(order: Order, desk: Desk, record: Any) -> dict[str, str]:
    config: Config = desk.config
    changes = {name: "true" for tag in order.tags if dig(record, name := config.field(tag)) not in ("true", True)}
    level = desk.raised(order, dig(record, "priority"))
    if level is not None:
        changes |= config.raise_by.get(level, _RAISED.get(level, {}))
    for name, wanted in (("assignment_group", desk.group(order)), ("assigned_to", desk.assignee(order))):
        if wanted is not None and dig(record, name) != wanted:
            changes[name] = wanted
    return changes


def _notes(config: Config, sys_id: str, marker: str) -> Any:
    wanted = f"element_id={sys_id}^element=work_notes^valueLIKE{marker}"
    query = {"sysparm_query": wanted, "sysparm_fields": "value", "sysparm_limit": "1"}
    return request("GET", f"{config.url}/api/now/table/sys_journal_field", config.auth, query=query)
