"""What a source says when its vendor signs webhooks: the secret, a further way to verify beside or instead of it, or an open door."""

from datetime import datetime
from typing import Self

from pydantic import Field, model_validator

from app.exchange import HttpRequest
from app.helpdesks import Secrets, SourceConfig, _verify


class SignedConfig(SourceConfig):
    """A source whose vendor signs. ValueError unless the document says how requests prove where they come from."""

    secret: Secrets | None = Field(default=None, description="What the vendor signs with; up to three while you change it.")
    verify: _verify.Verification | None = Field(
        default=None,
        description="What must hold beside or instead of the signature: a header, basic, bearer, networks; `none` = an open door.",
    )

    @model_validator(mode="after")
    def _is_verified(self) -> Self:
        if self.secret is None and self.verify is None:
            raise ValueError(f"a {self.kind} source needs its `secret` or `verify: ...` (an open door is written `verify: none`)")
        if self.secret is not None and self.verify == "none":
            raise ValueError("`secret` and `verify: none` contradict each other")
        return self


def check(request: HttpRequest, config: SignedConfig, signature: _verify.Hmac | None, now: datetime) -> None:
    """Returns if the vendor's scheme, where there is a secret, and everything under `verify` hold; else InvalidSignature."""
    if signature is not None:
        _verify.check_hmac(request, signature, now)
    if config.verify is not None:
        _verify.check(request, config.verify, now)
