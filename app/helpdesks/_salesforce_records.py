"""The records in a delivery of Salesforce, whatever carries them: outbound messages (SOAP), change events, our template, bare records.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_wsdl.htm
https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_event_fields_header.htm
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring

from app.helpdesks import _common, _json
from app.helpdesks._json import MISSING, Node

SCHEMA: Final = "slawatch.salesforce.v1"
RECORDS_MAX: Final = 1000
"""Salesforce puts at most 100 notifications into a message, and 200 records into a trigger's batch."""

_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NAMES: Final = (
    "Id", "CaseNumber", "Status", "IsClosed", "Priority", "OwnerId", "AccountId", "ContactEmail", "ContactId", "SuppliedEmail", "Subject",
    "Origin", "EntitlementId", "IsEscalated", "IsDeleted", "MasterRecordId", "CreatedById", "CreatedDate", "LastModifiedById",
    "LastModifiedDate", "SystemModstamp", "ParentId", "RelatedToId", "IsPublished", "Incoming", "FromAddress", "MessageDate",
    "IsExternallyVisible",
)  # fmt: skip
_SPELT: Final = {name.lower(): name for name in _NAMES} | {"caseid": "Id"}
"""How a flow's author may have spelt the names of fields: `lastModifiedDate`, `last_modified_date`."""
_TELLING: Final = {"CaseNumber": "Case", "IsClosed": "Case", "IsPublished": "CaseComment", "Incoming": "EmailMessage"}
_PREFIXES: Final = {"500": "Case", "00a": "CaseComment", "02s": "EmailMessage"}


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a delivery."""

    type: str
    """`Case`, `CaseComment`, ...; empty when neither the delivery nor the id tells."""
    fields: Node
    """An object of field names; a field that is not there was not sent."""
    key: str | None = None
    """The notification's or the change's own identity; None when there is none."""
    change: str = ""
    """`CREATE`, `UPDATE`, `DELETE`, `UNDELETE`, `GAP_...` of a change event, `CREATE` also as our template says it; else empty."""
    committed_at: Node = field(default_factory=lambda: Node(MISSING))
    user: str | None = None
    """Who committed the change; None when the delivery does not say it beside the record."""
    host: str | None = None
    """Where the organisation lives, for links."""


def is_xml(body: bytes) -> bool:
    """Whether a body is an outbound message rather than JSON."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def read(body: bytes) -> list[Record]:
    """All records, in the order they are told. Unreadable for what is none of the shapes."""
    found = list(_soap(body) if is_xml(body) else _in_json(_json.read(body)))
    if len(found) > RECORDS_MAX:
        raise _json.unreadable(f"The body holds {len(found)} records; at most {RECORDS_MAX} are read.")
    return found


def _soap(body: bytes) -> Iterator[Record]:
    root = _xml(body)
    message = next((element for element in root.iter() if _local(element.tag) == "notifications"), None)
    if message is None:
        raise _json.unreadable("The body is XML, but no outbound message of Salesforce (`notifications`).")
    url = next((_text(e) for e in message if _local(e.tag) in ("EnterpriseUrl", "PartnerUrl") and _text(e)), None)
    for index, notification in enumerate(e for e in message if _local(e.tag) == "Notification"):
        yield _notification(notification, f"/Notification/{index}", _host(url))


def _notification(notification: Element, place: str, host: str | None) -> Record:
    key = next((_text(e) for e in notification if _local(e.tag) == "Id"), None)
    sobject = next((e for e in notification if _local(e.tag) == "sObject"), None)
    if sobject is None:
        raise _json.unreadable(f"{place} holds no sObject.", place)
    fields = {_local(e.tag): _text(e) for e in sobject}
    kind = (sobject.get(_TYPE) or "").rpartition(":")[2] or str(fields.get("type") or "")
    return Record(kind or _type_of(fields.get("Id")), Node(fields, place), key, host=host)


def _xml(body: bytes) -> Element:
    """The document; entities and document types are refused before they can do harm."""
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except ParseError as error:
        raise _json.unreadable(f"The body is not XML: {error}.") from None
    except (ValueError, LookupError):
        raise _json.unreadable("The body is XML with a document type, entities or an encoding that is not read.") from None
    return root


def _local(tag: Any) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""  # a comment's tag is a function


def _text(element: Element) -> str | None:
    return None if element.get(_NIL) in ("true", "1") else "".join(element.itertext())


def _host(url: str | None) -> str | None:
    try:
        return urlsplit(url or "").hostname
    except ValueError:
        return None


def _in_json(body: Node) -> Iterator[Record]:
    _refuse_foreign(body)
    if isinstance(body.value, list):
        for index, item in enumerate(body.value):
            yield from _in_json(Node(item, f"{body.pointer}/{index}"))
        return
    event = body.look("data") if isinstance(body.look("data", "payload").value, dict) else body
    if isinstance(event.look("payload", "ChangeEventHeader").value, dict):
        yield from _change(event.look("payload"))
    elif isinstance(body.look("records").value, list):
        yield from _in_json(body.look("records"))
    else:
        yield _templated(body)


def _refuse_foreign(body: Node) -> None:
    schema = body.look("schema")
    if isinstance(schema.value, str) and schema.value.startswith("slawatch.") and schema.value != SCHEMA:
        schema.refuse(f"is not {SCHEMA}")


def _change(payload: Node) -> Iterator[Record]:
    """A change event: one for each record that was changed alike."""
    header = payload.look("ChangeEventHeader")
    fields = {name: value for name, value in payload.value.items() if name != "ChangeEventHeader"}
    for name in _listed(header.look("nulledFields")):
        fields.setdefault(name, None)
    transaction, sequence = header.look("transactionKey").id(), header.look("sequenceNumber").id()
    record_ids = _listed(header.look("recordIds"))
    for record_id in record_ids:
        change_id = f"{transaction}/{sequence or 0}" + (f"/{record_id}" if len(record_ids) > 1 else "")
        key = change_id if len(change_id) <= _json.ID_MAX else _common.digest(change_id)
        yield Record(
            type=header.look("entityName").word() or _type_of(record_id),
            fields=Node({**fields, "Id": record_id}, payload.pointer),
            key=key if transaction else None,
            change=(header.look("changeType").word() or "").upper(),
            committed_at=header.look("commitTimestamp"),
            user=header.look("commitUser").id(),
        )


def _listed(place: Node) -> tuple[str, ...]:
    return place.words() if isinstance(place.value, list) and all(isinstance(item, str) for item in place.value) else ()


def _templated(body: Node) -> Record:
    inner = body.look("record")
    fields = inner if isinstance(inner.value, dict) else body
    if not isinstance(fields.value, dict):
        fields.refuse("is not an object")
    fields = Node(_spelt(fields.value), fields.pointer)
    told = (body.look("type"), body.look("sobject"), fields.look("attributes", "type"))
    is_bare = not isinstance(inner.value, dict)
    kind = _word(told[2]) if is_bare else next((word for place in told if (word := _word(place))), None)
    change = "CREATE" if (_word(body.look("event")) or "").casefold() in ("created", "create", "insert") else ""
    key = None if is_bare else body.look("event_id").id()
    return Record(
        kind or _type_of(fields.look("Id").value) or _type_by_fields(fields.value),
        fields,
        key,
        change,
        user=_word(body.look("user_id")),
        host=_host(_word(body.look("url"))),
    )


def _spelt(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields by Salesforce's own names; one that is there under its own name beats another spelling."""
    others = {own: value for name, value in fields.items() if (own := _SPELT.get(name.replace("_", "").lower())) is not None}
    return others | fields


def _word(place: Node) -> str | None:
    return None if isinstance(place.value, dict | list) else place.word()


def _type_of(record_id: object) -> str:
    """The type by the first three characters of an id (https://help.salesforce.com/s/articleView?id=000385203)."""
    return _PREFIXES.get(str(record_id or "")[:3], "")


def _type_by_fields(fields: dict[str, Any]) -> str:
    """The type by fields that no other type of ours has; empty when there are none."""
    return next((kind for name, kind in _TELLING.items() if name in fields), "")


def fingerprint(record: Record) -> str:
    """A stable key of what a record says."""
    return _common.digest(record.type, repr(sorted(record.fields.value.items(), key=lambda item: item[0])))
