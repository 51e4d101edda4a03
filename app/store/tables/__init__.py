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

__all__ = [
    "api_keys",
    "attempts",
    "audit_log",
    "breaches",
    "clocks",
    "config_revisions",
    "deliveries",
    "events",
    "inbox",
    "job_runs",
    "metadata",
    "notices",
    "tickets",
]
