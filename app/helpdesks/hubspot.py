"""HubSpot: an app's webhooks (up to 100 events in a body), and the "Send a webhook" action of workflows.

https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation

Both are signed with the client secret of an app, and over the address HubSpot calls: behind a proxy it is not the one we see, so it is
configured. Version 3 is base64(HMAC-SHA256(secret, method + address + body + timestamp)) and good for five minutes; versions 2 and 1 are
the hex SHA-256 of secret (+ method + address) + body and never grow old. An app's webhooks are tried again up to ten times within a day;
HubSpot waits five seconds for an answer, for a workflow's thirty.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from app.exchange import HttpRequest
from app.helpdesks import Reading, _hubspot_events, _hubspot_signature, _hubspot_workflow, _json, _signed, _verify
from app.helpdesks._mapping import FactName
from app.helpdesks.fetching import API, ENRICH, Enrich
from app.helpdesks.fetching import hubspot as fetching
from app.helpdesks.writing import hubspot as writing

PropertyName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,100}$")]


class Config(_signed.SignedConfig):
    """A HubSpot source. `secret` is the app's client secret. Pipeline stages are each account's own: `status_map` says what they mean."""

    built_in_priorities: ClassVar[Mapping[str, str]] = {"medium": "normal"}

    kind: Literal["hubspot"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")
    api: fetching.Config | None = Field(default=None, description=API)
    enrich: Enrich = Field(default=None, description=ENRICH)
    public_url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=2000)] | None = Field(
        default=None, description="The address HubSpot calls, as it stands there: versions 2 and 3 of the signature are made over it."
    )
    signature_versions: list[Literal["v1", "v2", "v3"]] = Field(
        default=["v1", "v2", "v3"], min_length=1, description="Versions that are accepted; where version 3 is sent it alone counts."
    )
    tolerance: _verify.Tolerance = Field(
        default=timedelta(minutes=5), description="How far the time of a version 3 signature may lie from ours, either way; `off` = any."
    )
    fields: dict[FactName, PropertyName] = Field(default_factory=dict, description="Fact -> the ticket property that tells it.")
    sent_messages_by: Literal["agent", "unknown"] = Field(
        default="unknown", description="Who wrote what the property `hs_last_message_sent_at` tells of: HubSpot also counts what bots send."
    )
    conversations: Literal["ignore", "tickets"] = Field(
        default="ignore", description="`tickets`: threads of the inbox are tickets too, named by the thread's id."
    )


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if the best signature that was sent is ours and `verify` holds; else InvalidSignature."""
    if config.secret is not None:
        _hubspot_signature.check(request, config, config.secret, now)
    _signed.check(request, config, None, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The events of one delivery: a list of an app's events, or one object of a workflow. Unreadable for anything else."""
    body = _json.read(request.body)
    if isinstance(body.value, list):
        return _hubspot_events.read(body, config, received_at)
    if not isinstance(body.value, dict):
        body.refuse("is neither a list of events nor an object")
    if not body.look("subscriptionType").is_blank:
        return _hubspot_events.read(_json.Node([body.value]), config, received_at)
    return _hubspot_workflow.read(body, request, config, received_at)
