"""How sources are verified whose helpdesk signs nothing: by what it can send along, or by the signature of the script we ship."""

from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from pydantic import Field

from app.exchange import HttpRequest
from app.helpdesks import SourceConfig, _signed, _verify

SIGNATURE: Final = "x-sla-signature"
SIGNED_AT: Final = "x-sla-timestamp"


class ProvedConfig(SourceConfig):
    """A source of a helpdesk that signs nothing: what proves a request has to be written."""

    verify: _verify.Verification = Field(
        description="How requests prove where they come from: a header, bearer, basic, networks; `none` has to be written."
    )


class ScriptConfig(_signed.SignedConfig):
    """A source whose requests are made by the script we ship. With a `secret` it signs: base64(HMAC-SHA256(secret, timestamp + `.` +
    body)) in `X-SLA-Signature` behind `v1=`, the timestamp (seconds since 1970) in `X-SLA-Timestamp`.
    """

    tolerance: _verify.Tolerance = Field(
        default=timedelta(minutes=5), description="How far the signed time may lie from ours, either way; `off` = any."
    )

    @cached_property
    def signature(self) -> _verify.Hmac | None:
        """The script's scheme; None without a secret."""
        if self.secret is None:
            return None
        return _verify.Hmac(
            header=SIGNATURE,
            secret=self.secret,
            prefix="v1=",
            encoding="base64",
            over="timestamp.body",
            timestamp_header=SIGNED_AT,
            tolerance=self.tolerance,
        )


def check(request: HttpRequest, config: ProvedConfig | ScriptConfig, now: datetime) -> None:
    """Returns if the script's signature, where there is a secret, and everything under `verify` hold; else InvalidSignature."""
    if isinstance(config, ScriptConfig) and config.signature is not None:
        _verify.check_hmac(request, config.signature, now)
    if config.verify is not None:
        _verify.check(request, config.verify, now)
