"""A proposal tried out on the samples it was learnt from."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from app import helpdesks
from app.errors import Unreadable
from app.exchange import HttpRequest
from app.helpdesks._describe import event_as_json
from app.helpdesks._learn import Proposal


def what_they_say(proposal: Proposal, name: str, payloads: Sequence[Any], received_at: datetime) -> Iterator[str]:
    """A line for each sample and each of its events, as the `generic` source would read them at `received_at`."""
    generic = helpdesks.load("generic")
    config = generic.Config.model_validate({**proposal.source, "name": name})
    for number, payload in enumerate(payloads, 1):
        request = HttpRequest("POST", "/", {}, json.dumps(payload).encode())
        try:
            reading = generic.parse(request, config, received_at)
        except Unreadable as error:
            yield f"sample {number} cannot be read: {error.detail}"
            continue
        yield f"sample {number}: {reading.outcome}" + (f", {reading.reason}" if reading.reason else "")
        yield from (f"  {_line(event_as_json(event))}" for event in reading.events)


def _line(event: dict[str, Any]) -> str:
    message, actor = event["message"], event["actor"]
    said = f"; {'public' if message['public'] else 'internal'} message by {message['author']}" if message else ""
    by = f" by {actor['kind']} {actor['id']}" if actor["id"] else f" by {actor['kind']}"
    return f"{event['kind']} of ticket {event['ticket']} at {event['at']}{by}{said}; {json.dumps(event['set'], ensure_ascii=False)}"
