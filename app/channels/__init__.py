"""Alert translators: one file per channel turns a notice into a request and an answer into an outcome. Pure: no socket.

A channel module `app/channels/<kind>.py` (hyphens in the kind become underscores) has

* `Config`: a `ChannelConfig`, what the document says of a channel of this kind,
* `render(notice, config, at) -> Request`: the request of one attempt made at the instant `at` (over HTTP, or an e-mail),
* `interpret(response, at) -> Outcome`: what the answer means.

The module's name is its registration; there is no list to edit. A module whose name begins with `_` is a tool of the others.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Protocol, cast

from pydantic import BaseModel, ConfigDict, Field

from app.exchange import Outcome, Request


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be said. `body` is the signed event's exact JSON bytes (`app.schemas.events_out`); `event` is the same, parsed."""

    id: str
    """Stable over retries and channels: the `webhook-id`."""
    type: str
    """Such as `sla.breached`."""
    body: bytes
    event: Mapping[str, Any]
    shortest: bool = False
    """Whether the channel's shortest form is asked for, because it refused the other (`app.exchange.Rejected.smaller`)."""


class ChannelConfig(BaseModel):
    """What every kind of channel may say. Secrets are already resolved when this is validated.

    An address and a key are `SecretStr`, and a validation error does not print the input it refuses.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    show_path: ClassVar[bool] = False
    """Whether the path of the address may be logged and stored; not where it is the credential (`app.delivery.redaction`)."""

    of_record: ClassVar[bool] = False
    """Whether a system listens that has to know everything, not somebody who reads: silences leave it alone unless they name it."""
    groups: ClassVar[bool] = True
    """Whether many notices may be folded into one; not where each belongs to a record or an incident of its own."""

    kind: str
    name: str = Field(default="", exclude=True, description="Set by the loader from the key in `channels`.")
    events: list[str] = Field(
        default_factory=list, description="Event types this channel hears without being named by a ladder: `sla.breached`, `sla.*`."
    )
    allow_http: bool = Field(default=False, description="Allow a plain http:// address.")


class Channel(Protocol):
    """The shape of a channel module."""

    Config: type[ChannelConfig]

    def render(self, notice: Notice, config: Any, at: datetime) -> Request: ...

    def interpret(self, response: Any, at: datetime) -> Outcome: ...


@cache
def kinds() -> tuple[str, ...]:
    """The kinds there are, sorted."""
    return tuple(sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


@cache
def load(kind: str) -> Channel:
    """The module of a kind. KeyError when there is none."""
    if kind not in kinds():
        raise KeyError(kind)
    return cast(Channel, importlib.import_module(f"{__name__}.{kind.replace('-', '_')}"))
