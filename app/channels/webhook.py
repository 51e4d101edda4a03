"""Signed webhooks (Standard Webhooks 1.0): the event's exact bytes, posted to any URL.

For receivers: docs/webhooks.md. The specification: https://www.standardwebhooks.com
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, field_validator

from app import __version__
from app.channels import ChannelConfig, Notice
from app.channels._address import Url
from app.channels._answers import answered, classify, try_again
from app.exchange import Delivered, HttpRequest, HttpResponse, Outcome, Rejected
from app.guard import check_header
from app.signing import SignatureRefused, check_secret, hub_signature_256, sign


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str | SecretStr) else value


def _usable(secret: SecretStr) -> SecretStr:
    try:
        check_secret(secret.get_secret_value())
    except SignatureRefused:
        raise ValueError("a signing secret is whsec_ and base64 of 24 to 64 bytes, or an ed25519 private key whsk_") from None
    return secret


class Config(ChannelConfig):
    """A receiver of signed webhooks."""

    show_path: ClassVar[bool] = True
    of_record: ClassVar[bool] = True
    groups: ClassVar[bool] = False

    kind: Literal["webhook"] = "webhook"
    url: Url
    secrets: Annotated[list[Annotated[SecretStr, AfterValidator(_usable)]], BeforeValidator(_listed)] = Field(
        min_length=1,
        max_length=3,
        validation_alias=AliasChoices("secrets", "secret"),
        description="Signing keys, newest first; each signs, so that a receiver may still hold an older one.",
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="Further headers, such as an authorization the receiver asks for."
    )
    hub_signature_256: SecretStr | None = Field(
        default=None, description="Also sign the body as `x-hub-signature-256` with this, for older receivers."
    )

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in headers.items():
            check_header(name, value.get_secret_value())
        lower = {name.lower(): value for name, value in headers.items()}
        if len(lower) < len(headers):
            raise ValueError("a header is given twice (upper and lower case are the same)")
        return lower


def render(notice: Notice, config: Config, at: datetime) -> HttpRequest:
    """A POST of the event's bytes, signed with every key at `at`; the id stays the same over retries."""
    timestamp = int(at.timestamp())
    headers = {name: value.get_secret_value() for name, value in config.headers.items()}
    headers |= {
        "content-type": "application/json",
        "user-agent": f"slawatch/{__version__}",
        "webhook-id": notice.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(
            [secret.get_secret_value() for secret in config.secrets], id=notice.id, timestamp=timestamp, body=notice.body
        ),
    }
    if config.hub_signature_256 is not None:
        headers["x-hub-signature-256"] = hub_signature_256(config.hub_signature_256.get_secret_value(), notice.body)
    return HttpRequest("POST", config.url.get_secret_value(), headers, notice.body)


def interpret(response: HttpResponse, at: datetime) -> Outcome:
    """2xx is delivered whatever the body says; 410 ends the endpoint; everything else is retried, 4xx too (receivers misdeploy)."""
    if 200 <= response.status < 300:
        return Delivered()
    if response.status == 410:
        return Rejected(classify(410), answered(response), disable=True)
    return try_again(response, at)
