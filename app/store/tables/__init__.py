"""The tables, a file for each subject. Columns that are filtered, sorted or joined on are columns; what is only read whole is JSON.

Every key begins with what a later sharding would need: the ticket. Sources, policies and channels live in the configuration, not here.
"""

from app.store.tables._base import metadata
from app.store.tables.core import (
    api_keys,
    attempts,
    audit_log,
    breaches,
    clocks,
    config_revisions,
    deliveries,
    events,
    inbox,
    job_runs,
    notices,
    tickets,
)
from app.store.tables.endpoints import endpoints
from app.store.tables.escalations import escalation_log, escalations, service_keys
from app.store.tables.signals import signals
from app.store.tables.silences import grouping_spans, silences
from app.store.tables.sources import source_jobs, source_states

__all__ = [
    "api_keys",
    "attempts",
    "audit_log",
    "breaches",
    "clocks",
    "config_revisions",
    "deliveries",
    "endpoints",
    "escalation_log",
    "escalations",
    "events",
    "grouping_spans",
    "inbox",
    "job_runs",
    "metadata",
    "notices",
    "service_keys",
    "signals",
    "silences",
    "source_jobs",
    "source_states",
    "tickets",
]
