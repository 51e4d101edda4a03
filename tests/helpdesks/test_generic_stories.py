"""Two helpdesks that are hard to read: `lantern` repeats the whole history, in whole seconds; `ferry` posts several changes at once."""

import itertools
from typing import Any

from app.rules.events import EventKind
from app.rules.timeline import Timeline
from tests.helpdesks.deliveries import golden, golden_files, read, source

FILES = {file.stem: golden(file) for file in golden_files("generic")}
LANTERN = [FILES[name] for name in ("lantern_first_delivery", "lantern_state_before_reply", "lantern_whole_history")]


def history(deliveries: Any) -> Timeline:
    line = Timeline()
    for case in deliveries:
        line = line.extend(read(source("generic", **case["config"]), case["body"]).events)
    return line


def test_a_repeated_history_is_one_history_in_whatever_order_it_comes() -> None:
    lines = [history(order) for order in itertools.permutations(LANTERN + LANTERN[:1])]

    assert [e.key for e in lines[0].events] == ["log-1", "log-2", "log-3", "log-4"]
    assert all(line == lines[0] for line in lines)


def test_a_lost_delivery_heals_with_the_next() -> None:
    assert history(LANTERN[2:]) == history(LANTERN)


def test_the_reply_stands_before_the_status_it_caused_although_both_share_a_second() -> None:
    events = history(LANTERN).events[-2:]

    assert events[0].at == events[1].at
    assert [event.kind for event in events] == [EventKind.MESSAGE_AGENT_PUBLIC, EventKind.TICKET_STATUS_CHANGED]


def test_the_changes_of_one_transaction_are_applied_together_with_its_message() -> None:
    moments = list(history([FILES["ferry_reply_with_changes"]]).moments())

    assert [len(moment) for moment in moments] == [4]


def test_a_split_action_told_twice_is_one() -> None:
    case = FILES["ferry_reply_with_changes"]

    assert history([case, case]) == history([case])
