"""Instants as people write them on the command line."""

from datetime import datetime, timedelta

import typer

from app.rules.durations import parse_duration
from app.rules.problems import InvalidDuration
from app.schemas.instants import read_instant
from app.timesource import utc_now


def instant(text: str | None, option: str) -> datetime | None:
    """`2026-11-21T09:30:00Z`, or `90d` for so long ago; None for None. BadParameter names the option."""
    if text is None:
        return None
    try:
        return read_instant(text)
    except ValueError as error:
        try:
            return utc_now() - timedelta(seconds=parse_duration(text, days_allowed=True))
        except (InvalidDuration, OverflowError):
            raise typer.BadParameter(f"{error}; or a span such as 90d", param_hint=option) from error
