"""The document as pydantic models: the one place that says which sections there are.

Channels and sources are maps here: their keys are those of the `Config` of their kind (`app.channels`, `app.helpdesks`), read in
`app.config.adapters`. Unknown keys are errors everywhere. One thing may stand for a list of one.
"""

from ipaddress import ip_network
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, SecretStr, StringConstraints, ValidationInfo

from app.config.conditions import Match, While
from app.config.fields import ChannelName, WallSeconds, listed, refuse
from app.config.findings import shown
from app.config.guidance import GuidanceConfig
from app.config.holidays import Holiday
from app.config.ladders import LadderEntry
from app.config.promises import NameText, PolicyEntry
from app.config.sections import METRIC, SLUG
from app.config.signals import Signals
from app.config.strict import Strict
from app.config.times import Date, Hours, Since, Until, Week, Zone
from app.guard import Blocked, GuardPolicy, Network


class OpenDay(Strict):
    """A date with hours of its own: it beats holidays and weekly hours."""

    date: Date
    hours: Hours
    name: str = ""


class CalendarEntry(Strict):
    """When a promise runs. The calendar `always` is built in."""

    timezone: Zone = Field(description="An IANA name such as Europe/Berlin.")
    hours: Week = Field(description="Weekdays (`mon-fri`, `sat`, `mon,wed`, `daily`) -> hours; a day that is not named is closed.")
    holidays: tuple[Holiday, ...] = Field(default=(), description="Days on which it is closed.")
    open_days: tuple[OpenDay, ...] = Field(default=(), description="Dates with hours of their own.")


def _after_since(until: Any, info: ValidationInfo) -> Any:
    since = info.data.get("since")
    if since is not None and until is not None and until <= since:
        raise refuse("bad-date", "until has to be after from")
    return until


class TierEntry(Strict):
    """Who belongs to a tier. The first entry that matches wins; a tier that the event states beats all."""

    name: NameText
    match: Match = None
    since: Since | None = Field(default=None, alias="from", description="The first day (UTC), or an instant with its offset.")
    until: Annotated[Until | None, AfterValidator(_after_since)] = Field(
        default=None, description="The last day (UTC), or the instant with its offset at which it ends."
    )


class MetricEntry(Strict):
    """A metric of your own: a cycle is open while a condition over facts holds."""

    open_while: While
    anchor: Literal["began", "created"] = Field(
        default="began", description="Where the clock starts: when the condition began to hold, or with the ticket."
    )


def _read_network(value: Any) -> Network:
    try:
        network = ip_network(value if isinstance(value, str) else "")
        GuardPolicy((network,))
    except Blocked as blocked:
        raise refuse("bad-network", blocked.detail) from None
    except ValueError as error:
        detail = f": {error}" if isinstance(value, str) and "host bits" in str(error) else "; write it as 10.0.0.0/8"
        raise refuse("bad-network", f"{shown(value)} is no network{detail}") from None
    return network


def _read_proxy(value: Any) -> SecretStr:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    try:
        parts = urlsplit(text if isinstance(text, str) else "")
        usable = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0 and not parts.path.strip("/") and not parts.query
    except ValueError:
        usable = False
    if not usable:
        raise refuse("bad-url", "the egress proxy is written as http://[USER:PASSWORD@]HOST[:PORT]")
    return SecretStr(text)


EgressProxy = Annotated[SecretStr, PlainValidator(_read_proxy, json_schema_input_type=str)]


class DeliveryConfig(Strict):
    """How notices leave the house."""

    allow_networks: Annotated[
        tuple[Annotated[Network, PlainValidator(_read_network, json_schema_input_type=str)], ...],
        BeforeValidator(listed, json_schema_input_type=str | list[str]),
    ] = Field(default=(), description="Networks that are not public but may be posted to, such as 10.0.0.0/8.")
    operations: ChannelName | None = Field(
        default=None,
        description="The channel that hears how the others (`endpoint.*`) and the sources (`source.*`) do when none subscribes to that.",
    )
    egress_proxy: EgressProxy | None = Field(
        default=None,
        description="Send everything through this HTTP proxy, http://[USER:PASSWORD@]HOST[:PORT]. Which addresses may be posted to is the "
        "proxy's to decide then.",
    )


class Retention(Strict):
    """How long what is not needed any more is kept. `null`: for ever."""

    messages: WallSeconds | None = Field(
        default=90 * 86_400, description="Messages as they arrived; those in quarantine stay. Default: 90d."
    )
    deliveries: WallSeconds | None = Field(default=90 * 86_400, description="What was sent, with its attempts. Default: 90d.")
    tickets: WallSeconds | None = Field(
        default=None, description="Tickets without open clocks, with their clocks and breaches, after the last event. Default: for ever."
    )
    audit: WallSeconds | None = Field(default=None, description="The audit log. Default: for ever.")


Slug = Annotated[str, StringConstraints(pattern=SLUG)]
MetricSlug = Annotated[str, StringConstraints(pattern=METRIC)]


class Document(Strict):
    """The configuration of slawatch. A section without anything in it is as good as none."""

    version: Literal[1] = Field(default=1, description="The version of this language.")
    calendars: dict[NameText, CalendarEntry] = Field(default_factory=dict)
    tiers: tuple[TierEntry, ...] = ()
    metrics: dict[MetricSlug, MetricEntry] = Field(default_factory=dict)
    policies: tuple[PolicyEntry, ...] | None = Field(
        default=None, description="Without this section: resolution within 6 h, around the clock."
    )
    escalations: dict[NameText, LadderEntry] = Field(default_factory=dict)
    signals: Signals = Signals()
    guidance: GuidanceConfig = GuidanceConfig()
    channels: dict[Slug, dict[str, Any]] = Field(default_factory=dict)
    sources: dict[Slug, dict[str, Any]] = Field(default_factory=dict)
    delivery: DeliveryConfig = DeliveryConfig()
    retention: Retention = Retention()
