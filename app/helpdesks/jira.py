"""Jira and Jira Service Management, Cloud and Data Center: webhooks of the administration, automation rules, workflow functions.

Webhooks with a secret are signed: `X-Hub-Signature: <method>=<hex>`, an HMAC over the raw body. Today the method is sha256, and Atlassian
keeps the right to take another one: stronger ones are accepted, weaker ones never
(https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks). Automation rules are not signed; they can send a
header. `X-Atlassian-Webhook-Identifier` (Cloud) is the same over retries; there are up to five.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StringConstraints

from app.exchange import HttpRequest
from app.helpdesks import Reading, _jira_issue, _jira_rule, _jira_webhook, _json, _signed, _verify
from app.helpdesks._mapping import FactName
from app.helpdesks._words import Words
from app.helpdesks.fetching import API, RECONCILE, Reconcile
from app.helpdesks.fetching import jira as fetching
from app.helpdesks.writing import jira as writing

SIGNATURE: Final = "x-hub-signature"

_METHODS: Final[tuple[Literal["sha256", "sha384", "sha512"], ...]] = ("sha256", "sha384", "sha512")

CustomField = Annotated[str, StringConstraints(pattern=r"^customfield_\d{1,12}$")]


class Config(_signed.SignedConfig):
    """A Jira source."""

    built_in_statuses: ClassVar[Mapping[str, str]] = _jira_issue.STATUSES
    built_in_priorities: ClassVar[Mapping[str, str]] = _jira_issue.PRIORITIES

    kind: Literal["jira"]
    write_back: writing.Config | None = Field(default=None, description="How breaches are marked here.")
    api: fetching.Config | None = Field(default=None, description=API)
    reconcile: Reconcile = Field(default=None, description=RECONCILE)
    organization_field: CustomField | None = Field(
        default=None, description="The field with the customer's organization; that of Jira Service Management is found without."
    )
    fields: dict[FactName, CustomField] = Field(default_factory=dict, description="Fact -> the custom field that tells it.")
    others_are: Literal["agent", "unknown"] = Field(
        default="unknown",
        description="Who somebody is whom Jira does not describe (Data Center describes nobody) and who is not the reporter.",
    )
    untold_comments: Literal["public", "private"] | None = Field(
        default=None,
        description="Whether the customer sees comments of which Jira does not tell it (Data Center does not); "
        "left out: no in service projects, yes elsewhere.",
    )

    @cached_property
    def clear_statuses(self) -> Words:
        """Names that tell the status whatever the category: the source's own, and ours."""
        return Words.build("status_map", _jira_issue.CLEAR, self.status_map)

    @cached_property
    def signatures(self) -> Mapping[str, _verify.Hmac]:
        """Atlassian's scheme for each method; empty without a secret."""
        if self.secret is None:
            return {}
        return {m: _verify.Hmac(header=SIGNATURE, secret=self.secret, prefix=f"{m}=", algorithm=m) for m in _METHODS}


def verify(request: HttpRequest, config: Config, now: datetime) -> None:
    """Returns if the signature over the body is ours, by a method that is strong enough, and `verify` holds; else InvalidSignature."""
    method = request.headers.get(SIGNATURE, "").strip().partition("=")[0]
    schemes = config.signatures
    _signed.check(request, config, schemes.get(method, schemes["sha256"]) if schemes else None, now)


def parse(request: HttpRequest, config: Config, received_at: datetime) -> Reading:
    """The events of one delivery. Unreadable unless the body is an object that names an issue."""
    body = _json.read(request.body)
    if not isinstance(body.value, dict):
        body.refuse("is not an object")
    if _jira_webhook.is_one(body):
        return _jira_webhook.read(body, request, config, received_at)
    return _jira_rule.read(body, request, config, received_at)
