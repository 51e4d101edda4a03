"""Every Prometheus metric of this service, in a registry of our own.

Names carry their unit, labels are bounded: no ticket, no address, no name that a stranger can choose. Seconds are seconds with fractions.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics, generate_latest

from app import COMPILED, __version__

REGISTRY: Final = CollectorRegistry(auto_describe=True)
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_QUICK: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LAG: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)

disable_created_metrics()  # type: ignore[no-untyped-call]
ProcessCollector(namespace="slawatch", registry=REGISTRY)

BUILD_INFO = Gauge(
    "slawatch_build_info", "Always 1; version, and engine: compiled or interpreted.", ["version", "engine"], registry=REGISTRY
)
BUILD_INFO.labels(__version__, "compiled" if COMPILED else "interpreted").set(1)

HTTP_REQUESTS = Counter("slawatch_http_requests_total", "HTTP requests answered.", ["method", "route", "status"], registry=REGISTRY)
HTTP_REQUEST_SECONDS = Histogram(
    "slawatch_http_request_seconds",
    "Seconds from the request's head to the last byte of the answer.",
    ["route"],
    buckets=_QUICK,
    registry=REGISTRY,
)

INGESTED = Counter(
    "slawatch_ingest_messages_total",
    "Inbound messages by way (webhook, events) and outcome (applied, duplicate, ignored, quarantined).",
    ["via", "outcome"],
    registry=REGISTRY,
)

INGEST_BATCH = Histogram(
    "slawatch_ingest_batch_messages",
    "Inbound messages committed in one transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=REGISTRY,
)
INGEST_COMMIT_SECONDS = Histogram(
    "slawatch_ingest_commit_seconds", "Seconds of one transaction of the batch writer.", buckets=_QUICK, registry=REGISTRY
)

BREACHES = Counter("slawatch_breaches_total", "Breaches recorded, by metric of the document.", ["metric"], registry=REGISTRY)
WARNINGS = Counter("slawatch_warnings_total", "Warnings that fired, by metric of the document.", ["metric"], registry=REGISTRY)
JUDGE_FAILURES = Counter("slawatch_judge_failures_total", "Tickets that could not be judged; each is tried again later.", registry=REGISTRY)
DUE_TO_DETECTED = Histogram(
    "slawatch_due_to_detected_seconds",
    "Seconds from a milestone's instant to the commit that recorded it.",
    buckets=_LAG,
    registry=REGISTRY,
)
EVALUATION_LAG = Gauge(
    "slawatch_evaluation_lag_seconds", "Seconds the most overdue unjudged clock is behind; 0 = nothing is due.", registry=REGISTRY
)

DELIVERIES = Counter(
    "slawatch_delivery_attempts_total",
    "Attempts to deliver, by channel kind and error class (ok = delivered).",
    ["kind", "class"],
    registry=REGISTRY,
)
DETECTED_TO_DELIVERED = Histogram(
    "slawatch_detected_to_delivered_seconds",
    "Seconds from the commit of a notice to the receiver's acceptance.",
    buckets=_LAG,
    registry=REGISTRY,
)
OUTBOX_OLDEST = Gauge(
    "slawatch_outbox_oldest_seconds", "Seconds the oldest delivery that should have gone out is behind; 0 = none waits.", registry=REGISTRY
)

ENDPOINTS = Gauge(
    "slawatch_endpoints",
    "Channels whose endpoint is failing (has accepted nothing since) or disabled.",
    ["state"],
    registry=REGISTRY,
)
BREAKERS_OPEN = Gauge(
    "slawatch_open_breakers", "Channels whose endpoint gave no answer ten times in a row; one probe a minute goes there.", registry=REGISTRY
)

AUDIT_LAG = Gauge(
    "slawatch_audit_lag_seconds",
    "Seconds that something is behind, as the auditor finds: clocks, escalations and deliveries that are due and not done, and the last "
    "run of detection.",
    ["kind"],
    registry=REGISTRY,
)
AUDIT_SUCCESSFUL = Gauge(
    "slawatch_audit_last_successful",
    "1 = at the last audit nothing was behind; 0 = something was, and no heartbeat was sent.",
    registry=REGISTRY,
)
HEARTBEATS = Counter("slawatch_heartbeats_total", "Heartbeats by error class (ok = accepted).", ["class"], registry=REGISTRY)
SUPPRESSED = Counter(
    "slawatch_suppressed_deliveries_total",
    "Deliveries that did not go out by themselves, by what kept them: silence, digest.",
    ["kind"],
    registry=REGISTRY,
)

FORGOTTEN = Counter(
    "slawatch_forgotten_rows", "Rows deleted because the document does not keep them any longer, by kind.", ["kind"], registry=REGISTRY
)

SOURCES_SILENT = Gauge("slawatch_silent_sources", "Sources that have said nothing for longer than they may.", registry=REGISTRY)
SOURCE_CALLS = Counter(
    "slawatch_source_calls_total",
    "Requests to the APIs of helpdesks, by kind of helpdesk and error class (ok = answered).",
    ["kind", "class"],
    registry=REGISTRY,
)

DATABASE_AHEAD = Gauge(
    "slawatch_database_ahead_seconds",
    "Seconds PostgreSQL's clock, which decides, is ahead of this machine's; less than one counts as 0.",
    registry=REGISTRY,
)

CONFIG_RELOADED = Gauge(
    "slawatch_config_last_reload_successful",
    "1 = the newest configuration is in force; 0 = it could not be loaded and an older one is.",
    registry=REGISTRY,
)
CONFIG_REVISION = Gauge("slawatch_config_revision", "Number of the configuration revision in force.", registry=REGISTRY)


def exposition() -> bytes:
    """All metrics in the Prometheus text format."""
    return generate_latest(REGISTRY)


def value(name: str, labels: dict[str, str] | None = None) -> float | None:
    """The present value of one sample; None when there is no such sample."""
    return REGISTRY.get_sample_value(name, labels or {})
