"""Learns a mapping for the `generic` source from sample payloads: by names and by shapes, and it says what it was not sure of.

Pure: payloads in, a proposal out. The proposal reads the samples; somebody who knows the helpdesk has to correct it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.helpdesks._learn import guesses
from app.helpdesks._learn.document import Note, as_yaml, plain
from app.helpdesks._learn.found import Found, is_of_messages, look_around
from app.helpdesks._learn.messages import message_rule
from app.helpdesks._learn.rules import ticket_rule
from app.helpdesks._learn.samples import Place, best, expression, lay_out


class NothingToLearn(ValueError):
    """The samples do not show a ticket. The text says what was looked for."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A source of the kind `generic`, with remarks."""

    annotated: Mapping[str, Any]

    @property
    def source(self) -> dict[str, Any]:
        """The source as the document would hold it."""
        said: dict[str, Any] = plain(self.annotated)
        return said

    def as_yaml(self, name: str) -> str:
        """A document with this source under `name`; remarks are comments."""
        return as_yaml({"version": 1, "sources": {name: self.annotated}})


def learn(payloads: Sequence[Any]) -> Proposal:
    """A mapping that reads these payloads (one webhook body each). NothingToLearn when no place could be the ticket's id."""
    samples = lay_out(payloads)
    found = look_around(samples)
    if found is None:
        raise NothingToLearn("No place looks like a ticket's id (ticket.id, ticket_id, issue.key, id, ...).")
    source: dict[str, Any] = {
        "kind": "generic",
        "verify": Note("none", "UNSURE: an open door. Write what proves a request: header + secret, bearer, basic, hmac, networks"),
    }
    if any(place.is_zoneless() for place in samples.places if place.is_times()):
        source["timezone"] = Note("UTC", "UNSURE: times in the sample name no zone")
    if (delivery := _delivery(found)) is not None:
        source["delivery_id"] = Note(expression(delivery.path), "the same when a delivery is repeated? Else take this line away")
    message = message_rule(found)
    source["events"] = [ticket_rule(found), *([message] if message else [])]
    return Proposal(source)


def _delivery(found: Found) -> Place | None:
    """An id of the delivery: not the ticket's, and not the same in two samples."""
    places = [place for place in found.samples.places if place != found.ticket]
    place, _ = best(places, guesses.delivery)
    if place is None or len(set(place.told)) < len(place.told):
        return None
    if place.words in (("id",), ("uuid",)) and (found.event is None or is_of_messages(found.event)):
        return None
    return place
