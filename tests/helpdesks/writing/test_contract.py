"""What every write-back must do, whatever the helpdesk: mark, once, and leave alone what is not its to touch."""

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import helpdesks
from app.exchange import HttpRequest, HttpResponse
from app.helpdesks.writing import Stop, config_of, kinds, plan
from tests.helpdesks.writing.api import Api, Call
from tests.helpdesks.writing.desks import CASES, MARKER, NOTE, api, desk, everything, order, run

every_kind = pytest.mark.parametrize("kind", kinds())
asked_first = pytest.mark.parametrize("kind", sorted(set(kinds()) - {"generic"}))
with_priorities = pytest.mark.parametrize("kind", sorted(k for k in kinds() if "priority" in desk(k).config.can and k != "generic"))
RETRY_AFTER = HttpResponse(429, {"retry-after": "37"}, b'{"error": "slow down"}')


def is_note(call: Call) -> bool:
    return call.method != "GET" and "oauth" not in call.path and MARKER in str(call.json) and "search" not in call.path


def test_every_kind_that_writes_back_is_a_helpdesk_and_has_its_case() -> None:
    assert set(kinds()) == set(CASES)
    assert set(kinds()) <= set(helpdesks.kinds())


@every_kind
def test_a_ticket_is_marked_with_all_that_the_helpdesk_can_do(kind: str) -> None:
    there, case = api(kind), CASES[kind]
    can = desk(kind).config.can

    assert run(everything(kind), desk(kind), there) is None
    ticket = there.ticket

    assert ["vip", "sla_breached"] == ticket.tags
    assert (case.high if "priority" in can else None) == ticket.priority
    assert (case.group, case.assignee) == (ticket.group, ticket.assignee)
    assert 1 == len(ticket.notes)
    assert MARKER in ticket.notes[0]


@asked_first
def test_what_stands_there_already_is_not_written_again(kind: str) -> None:
    there = api(kind)
    run(everything(kind), desk(kind), there)
    there.calls.clear()

    assert run(everything(kind, is_repeat=True), desk(kind), there) is None
    assert [] == there.writes()


@asked_first
def test_a_note_whose_answer_was_lost_is_found_and_not_written_twice(kind: str) -> None:
    there, ordered = api(kind), everything(kind)
    there.after.append((is_note, HttpResponse(504)))

    first = run(ordered, desk(kind), there)
    second = run(everything(kind, is_repeat=True), desk(kind), there)

    assert first is not None
    assert second is None
    assert 1 == len(there.ticket.notes)


@with_priorities
def test_a_priority_is_never_raised_above_the_ceiling(kind: str) -> None:
    there = api(kind)
    run(order(kind, priority="urgent"), desk(kind), there)

    assert CASES[kind].high == there.ticket.priority


@with_priorities
def test_with_a_higher_ceiling_it_is_raised_to_the_top(kind: str) -> None:
    there = api(kind)
    run(order(kind, priority="urgent"), desk(kind, priority_ceiling="urgent"), there)

    assert CASES[kind].urgent == there.ticket.priority


@with_priorities
@pytest.mark.parametrize("wanted", ["low", "normal", "high", "urgent"])
def test_a_priority_is_never_lowered(kind: str, wanted: str) -> None:
    there = api(kind)
    there.ticket.priority = CASES[kind].urgent
    run(order(kind, priority=wanted), desk(kind), there)

    assert CASES[kind].urgent == there.ticket.priority
    assert [] == there.writes()


@with_priorities
def test_a_priority_nobody_knows_is_left_as_it_is(kind: str) -> None:
    there = api(kind)
    there.ticket.priority = 77 if isinstance(CASES[kind].low, int) else "Special"
    run(order(kind, priority="urgent"), desk(kind), there)

    assert [] == there.writes()


@asked_first
def test_a_ticket_that_was_solved_meanwhile_is_left_alone(kind: str) -> None:
    there = api(kind)
    there.ticket.status = CASES[kind].solved

    done = run(everything(kind), desk(kind), there)

    assert done is not None
    assert done.dropped
    assert [] == there.writes()


@asked_first
def test_a_ticket_that_was_solved_already_is_marked_all_the_same(kind: str) -> None:
    there = api(kind)
    there.ticket.status = CASES[kind].solved

    assert run(everything(kind, was_solved=True), desk(kind), there) is None
    assert "sla_breached" in there.ticket.tags


@every_kind
def test_a_ticket_that_is_gone_is_given_up_and_not_asked_for_again(kind: str) -> None:
    there = api(kind)
    there.ticket.gone = True

    done = run(everything(kind), desk(kind), there)

    assert done is not None
    assert done.dropped
    assert len(there.calls) <= 3


@every_kind
def test_a_limit_that_is_reached_is_told_with_its_answer(kind: str) -> None:
    there = api(kind)
    there.instead.append((lambda call: "oauth" not in call.path, RETRY_AFTER))

    done = run(everything(kind), desk(kind), there)

    assert done is not None
    assert done.response is RETRY_AFTER
    assert not done.dropped


@every_kind
def test_a_limit_that_is_reached_half_way_leaves_a_ticket_that_the_next_try_completes(kind: str) -> None:
    there = api(kind)
    there.instead.append((is_note, RETRY_AFTER))

    first = run(everything(kind), desk(kind), there)
    second = run(everything(kind, is_repeat=True), desk(kind), there)

    assert first is not None
    assert second is None
    assert (["vip", "sla_breached"], 1) == (there.ticket.tags, len(there.ticket.notes))


@every_kind
def test_wrong_credentials_are_told_as_they_are(kind: str) -> None:
    there = api(kind)
    there.instead += [(lambda _: True, HttpResponse(401)) for _ in range(4)]

    done = run(everything(kind), desk(kind), there)

    assert done is not None
    assert done.response is not None
    assert (401, False, False) == (done.response.status, done.dropped, done.again)


@every_kind
def test_an_order_without_a_note_writes_none(kind: str) -> None:
    there = api(kind)
    run(order(kind, tags=("sla_breached",)), desk(kind), there)

    assert [] == there.ticket.notes


@every_kind
def test_no_secret_is_in_an_address_and_every_call_says_who_we_are(kind: str) -> None:
    there, seen = api(kind), list[HttpRequest]()

    class Seeing(Api):
        def answer(self, request: HttpRequest) -> HttpResponse:
            seen.append(request)
            return there.answer(request)

    run(everything(kind), desk(kind), Seeing())

    assert seen
    assert all(request.url.startswith("https://") and "s3cret" not in request.url for request in seen)
    assert all(request.headers["user-agent"].startswith("slawatch/") for request in seen)


@every_kind
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"null", b"[]", b"7", b'{"ticket": []}', b'{"data": null}', b'{"result": [null]}', b"\xff"]
)
def test_an_answer_that_makes_no_sense_ends_the_plan_in_order(kind: str, body: bytes) -> None:
    _endures(kind, [body])


NAMES = st.sampled_from(["ticket", "tags", "fields", "id", "result"])
ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["open", "low", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@every_kind
@settings(max_examples=8, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(answers=st.lists(ANSWERS, min_size=1, max_size=4))
def test_whatever_the_answers_say_the_plan_ends_in_order(kind: str, answers: list[object]) -> None:
    _endures(kind, [orjson.dumps(answer) for answer in answers])


def _endures(kind: str, bodies: list[bytes]) -> None:
    """Every answer is a 200 with one of these bodies: the plan comes to an end, or to a Stop."""
    steps = plan(everything(kind, is_repeat=True), desk(kind))
    try:
        next(steps)
        for place in range(40):
            steps.send(HttpResponse(200, {}, bodies[place % len(bodies)]))
    except (StopIteration, Stop):
        return
    pytest.fail("the plan does not end")


@every_kind
def test_a_source_knows_its_write_back_and_its_budget_is_a_fifth_of_the_limit(kind: str) -> None:
    config = desk(kind).config

    assert config_of(desk(kind).source) == config
    assert config.published_per_minute / 5 == config.budget
    assert 3 == desk(kind, per_minute=3).config.budget


def test_plain_text_is_told_as_html_where_html_is_wanted() -> None:
    there = api("freshdesk")
    run(order("freshdesk", note=NOTE), desk("freshdesk"), there)

    assert [f"SLA &lt;breached&gt; &amp; late.<br><br>({MARKER})"] == there.ticket.notes
