"""Dues of several metrics -> which is next; null where none is armed."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.case_files import Case


def answer(case: Case) -> Mapping[str, Any]:
    armed = {metric: minutes for metric, minutes in case["dues_minutes_from_now"].items() if minutes is not None}
    return {"metric": min(armed, key=lambda metric: armed[metric], default=None)}
