"""How the channels' endpoints do. A channel without a row has never failed."""

from sqlalchemy import Column, Integer, String, Table, Text

from app.store.tables._base import NAME, metadata
from app.store.types import UtcDateTime

endpoints = Table(
    "endpoints",
    metadata,
    Column("channel", NAME, primary_key=True),
    Column("failing_since", UtcDateTime, comment="The first failure since it last accepted; null = it accepts"),
    Column("failures", Integer, nullable=False, comment="Attempts that failed since then"),
    Column("transport_failures", Integer, nullable=False, comment="Of these, how many in a row without any answer"),
    Column("open_until", UtcDateTime, comment="The breaker is open: the next probe may go then; null = closed"),
    Column("last_failed_at", UtcDateTime),
    Column("error_class", String(40)),
    Column("detail", Text),
    Column("warned", Integer, nullable=False, comment="How many warnings were sent since it began to fail"),
    Column("delivered_at", UtcDateTime, comment="When it last accepted, to the minute"),
    Column("disabled_at", UtcDateTime, comment="Null = it is in use"),
    Column("disabled_by", NAME, comment="Null = by the service itself"),
)
