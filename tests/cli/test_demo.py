"""`slawatch demo`: the story, the helpdesk that tells it, the receiver, the books; and the whole, as a user starts it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import aiohttp.web
import orjson
import psutil
import pytest
from rich.console import Console

from app import helpdesks, signing
from app.cli._demo import ledger, scenario, zendesk
from app.cli._demo.display import Board, Lines, result
from app.cli._demo.helpdesk import Orders, Post
from app.cli._demo.ledger import Books, Service
from app.cli._demo.receiver import Callback, Receiver
from app.config.check import check
from app.errors import InvalidSignature
from app.exchange import HttpRequest
from app.rules.evaluate import evaluate
from app.rules.events import TicketEvent
from app.rules.timeline import Timeline
from tests.support.clock import START

SECRETS = {"DEMO_ZENDESK_SECRET": "a-secret-of-zendesk", "DEMO_UPSTREAM_SECRET": signing.new_secret()}
STORY = scenario.write(1, 22)


def source() -> Any:
    return helpdesks.load("zendesk").Config(kind="zendesk", name="zendesk", secret="a-secret-of-zendesk")  # type: ignore[call-arg]


def read(delivery: zendesk.Delivery) -> tuple[TicketEvent, ...]:
    """What the real adapter makes of a webhook of the demo."""
    headers = {n.lower(): v for n, v in zendesk.signed_headers("a-secret-of-zendesk", delivery.body, START).items()}
    request = HttpRequest("POST", "/v1/sources/zendesk/webhook", headers, delivery.body)
    adapter = helpdesks.load("zendesk")
    adapter.verify(request, source(), START)
    reading = adapter.parse(request, source(), START)
    assert reading.reason is None
    return reading.events


def test_a_story_is_the_same_for_the_same_seed() -> None:
    again, other = scenario.write(1, 22), scenario.write(2, 22)

    assert again == STORY
    assert other != STORY
    assert zendesk.deliveries(STORY, START) == zendesk.deliveries(again, START)


def test_a_story_has_some_dozen_tickets_of_every_fate_and_is_over_in_time() -> None:
    ends = [ticket.opened + act.at + act.delay for ticket in STORY.tickets for act in ticket.fate.acts]

    assert len(STORY.tickets) == 36
    assert {ticket.fate.name for ticket in STORY.tickets} == {fate.name for fate in scenario.FATES}
    assert max(ends) < STORY.seconds


def test_webhooks_come_twice_late_and_out_of_order() -> None:
    plan = zendesk.deliveries(STORY, START)
    distinct = [delivery for delivery in plan if not delivery.repeat]
    by_ticket: dict[str, list[str]] = {}
    for delivery in distinct:
        by_ticket.setdefault(delivery.ticket, []).append(orjson.loads(delivery.body)["time"])

    assert {d.body for d in plan if d.repeat} < {d.body for d in distinct}
    assert any(times != sorted(times) for times in by_ticket.values())


def test_the_signature_is_the_one_that_our_adapter_checks() -> None:
    adapter = helpdesks.load("zendesk")
    headers = {name.lower(): value for name, value in zendesk.signed_headers("another-secret", b"{}", START).items()}

    with pytest.raises(InvalidSignature):
        adapter.verify(HttpRequest("POST", "/", headers, b"{}"), source(), START)


def test_the_engine_breaks_exactly_the_promises_that_the_story_says() -> None:
    checked = check(
        scenario.DOCUMENT.format(receiver="http://127.0.0.1:9999/hooks"), file="demo", environ=SECRETS, base=Path(), today=START.date()
    )
    assert checked.loaded is not None, checked.findings
    told: dict[str, list[TicketEvent]] = {}
    for delivery in zendesk.deliveries(STORY, START):
        if not delivery.repeat:
            told.setdefault(delivery.ticket, []).extend(read(delivery))
    broken = {}
    for ticket, events in told.items():
        verdict = evaluate(Timeline().extend(events), checked.loaded.book(1), START + timedelta(seconds=STORY.seconds))
        for clock in verdict.clocks:
            if clock.breached_at is not None:
                broken[(ticket, clock.cycle.metric)] = "open" if clock.cycle.is_open else "answered"

    assert STORY.broken() == broken


async def test_the_receiver_accepts_what_is_signed_and_refuses_the_rest() -> None:
    secret, heard = signing.new_secret(), list[Callback]()
    receiver = Receiver(secret, heard.append)
    url = await receiver.start()
    body = b'{"type": "sla.breached", "data": {"breach_id": "brc_1"}}'
    stamp = int(datetime.now(UTC).timestamp())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": signing.sign([secret], id="msg_1", timestamp=stamp, body=body),
    }
    async with aiohttp.ClientSession() as session:
        statuses = [(await session.post(url, data=each, headers=headers)).status for each in (body, body + b" ")]
    await receiver.stop()

    assert statuses == [204, 401]
    assert [(c.id, c.type, c.data, c.refused is None) for c in heard] == [
        ("msg_1", "sla.breached", {"breach_id": "brc_1"}, True),
        ("msg_1", "", {}, False),
    ]


async def test_the_helpdesk_posts_everything_signed_and_tries_again_when_it_is_asked_to() -> None:
    bodies: list[bytes] = []

    async def webhook(request: aiohttp.web.Request) -> aiohttp.web.Response:
        body = await request.read()
        adapter = helpdesks.load("zendesk")
        headers = {name.lower(): value for name, value in request.headers.items()}
        adapter.verify(HttpRequest("POST", "/", headers, body), source(), datetime.now(UTC))
        bodies.append(body)
        return aiohttp.web.json_response({"outcome": "applied"}, status=503 if len(bodies) == 1 else 202)

    url, stop = await serve(webhook)
    start = datetime.now(UTC) - timedelta(seconds=60)  # everything is due at once
    orders = Orders(url, "a-secret-of-zendesk", 1, 16, start.isoformat())
    helpdesk = await helpdesk_process()
    assert helpdesk.stdin
    assert helpdesk.stdout
    helpdesk.stdin.write(orjson.dumps(asdict(orders)) + b"\n")
    posts = [Post(**orjson.loads(line)) async for line in helpdesk.stdout]
    code = await helpdesk.wait()
    await stop()
    plan = zendesk.deliveries(scenario.write(1, 16), start)

    assert code == 0
    assert sorted(bodies) == sorted([delivery.body for delivery in plan] + bodies[:1])
    assert sorted(post.attempts for post in posts) == [1] * (len(plan) - 1) + [2]
    assert {(post.status, post.outcome) for post in posts} == {(202, "applied")}


async def test_the_helpdesk_leaves_when_whoever_ordered_it_is_gone() -> None:
    helpdesk = await helpdesk_process()
    assert helpdesk.stdin
    orders = Orders("http://127.0.0.1:9/", "s", 1, 16, (datetime.now(UTC) + timedelta(hours=1)).isoformat())
    helpdesk.stdin.write(orjson.dumps(asdict(orders)) + b"\n")
    helpdesk.stdin.close()

    assert await asyncio.wait_for(helpdesk.wait(), 20) == 1


def instant(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def callback(id_: str, type_: str, **data: Any) -> Callback:
    event = {"type": type_, "data": {"clock": {"id": "clk_1"}, "why": {"milestone": "50%"}} | data}
    return Callback(id_, START + timedelta(seconds=4.05), orjson.dumps(event), None, event)


def good_books() -> Books:
    """One ticket, one broken promise, all of it told."""
    ticket = replace(STORY.tickets[0], id="35001", fate=scenario.FATES[1])
    breach = {
        "id": "brc_1", "external_id": "35001", "metric": "first_response", "status": "answered", "detected_late": False,
        "breached_at": instant(4), "detected_at": instant(4.02),
    }  # fmt: skip
    told: list[tuple[str, str, dict[str, Any]]] = [
        ("m1", "sla.warning", {}), ("m2", "sla.breached", {"breach_id": "brc_1"}), ("m3", "sla.recovered", {"breach_id": "brc_1"}),
        *((f"e{n}", f"escalation.{what}", {"escalation": {"id": "esc_1"}, "why": {"milestone": what}})
          for n, what in enumerate(("step", "acknowledged", "deescalated"), start=1)),
    ]  # fmt: skip
    deliveries = [{"notice_id": id_, "state": "delivered"} for id_, _, _ in told]
    return Books(
        story=scenario.Story(1, (ticket,), 16),
        planned=2,
        posts=[Post("35001", "ticket.created", False, 202, "applied", 1), Post("35001", "ticket.created", True, 202, "duplicate", 1)],
        callbacks=[callback(id_, type_, **data) for id_, type_, data in told],
        service=Service([breach], [{"id": "clk_1"}], deliveries, [{"id": "esc_1", "closed_at": instant(6)}]),
    )


def test_books_that_agree_have_no_problems() -> None:
    books = good_books()
    figures = ledger.summary(books, ok=True, seconds=31.2345)

    assert ledger.problems(books) == []
    assert figures == {
        "ok": True, "events_sent": 1, "duplicates_sent": 1, "tickets": 1, "clocks": 1, "breaches": 1, "warnings": 1, "recoveries": 1,
        "retractions": 0, "escalations": 1, "steps": 1, "acknowledgements": 1, "all_clears": 1,
        "callbacks_received": 6, "callbacks_verified": 6, "detection_lag_ms": {"p50": 20.0, "p99": 20.0},
        "delivery_lag_ms": {"p50": 30.0, "p99": 30.0}, "seconds": 31.2,
    }  # fmt: skip


def _refuse(books: Books) -> None:
    books.callbacks.append(Callback("m9", START, b"", "No matching signature found", {}))


def _change_content(books: Books) -> None:
    books.callbacks.append(replace(books.callbacks[1], body=b"{}"))


def _tell_twice(books: Books) -> None:
    books.callbacks.append(replace(books.callbacks[1], id="m4"))


def _warn_twice(books: Books) -> None:
    books.callbacks.append(replace(books.callbacks[0], id="m4"))


def _invent(books: Books) -> None:
    books.callbacks.append(callback("m4", "sla.breached", breach_id="brc_2"))


def _forget_breach(books: Books) -> None:
    books.service = replace(books.service, breaches=[])


def _forget_callback(books: Books) -> None:
    del books.callbacks[1]


def _forget_recovery(books: Books) -> None:
    del books.callbacks[2]


def _climb_twice(books: Books) -> None:
    books.callbacks.append(replace(books.callbacks[3], id="e9"))


def _forget_all_clear(books: Books) -> None:
    del books.callbacks[5]


def _call_it_off_early(books: Books) -> None:
    books.service = replace(books.service, escalations=[{"id": "esc_1", "closed_at": None}])


def _wait(books: Books) -> None:
    books.service = replace(books.service, deliveries=[*books.service.deliveries, {"notice_id": "m5", "state": "pending"}])


def _send_less(books: Books) -> None:
    del books.posts[0]


def _be_refused(books: Books) -> None:
    books.posts[0] = replace(books.posts[0], status=401, outcome="The signature is wrong.")


def _be_misunderstood(books: Books) -> None:
    books.posts[0] = replace(books.posts[0], outcome="quarantined")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (_refuse, "callback m9 was refused: No matching signature found"),
        (_change_content, "callback m2 came twice with different content"),
        (_tell_twice, "breach brc_1 (first_response of ticket 35001) was told under 2 ids instead of one"),
        (_warn_twice, "the warning 50% of clock clk_1 came 2 times"),
        (_invent, "a callback tells of the unknown breach brc_2"),
        (_forget_breach, "ticket 35001: the breach of first_response should be answered and is none"),
        (_forget_callback, "breach brc_1 (first_response of ticket 35001) was told under 0 ids instead of one"),
        (_forget_recovery, "breach brc_1 is answered and sla.recovered came 0 times"),
        (_climb_twice, "escalation.step step of esc_1 was said under 2 ids"),
        (_forget_all_clear, "escalation esc_1 is over and nobody heard so"),
        (_call_it_off_early, "escalation esc_1 is not over and somebody heard it is"),
        (_wait, "1 deliveries are pending"),
        (_send_less, "1 webhooks are not sent yet"),
        (_be_refused, "ticket.created of ticket 35001 was answered 401 The signature is wrong."),
        (_be_misunderstood, "not every event was understood: {'quarantined': 1, 'duplicate': 1}"),
    ],
)
def test_books_that_disagree_say_why(spoil: Callable[[Books], None], problem: str) -> None:
    books = good_books()
    spoil(books)

    assert problem in ledger.problems(books)


def test_a_breach_that_was_answered_before_it_could_be_told_is_told_as_met_late() -> None:
    books = good_books()
    books.callbacks[1:] = [callback("m2", "sla.met_late", breach_id="brc_1"), callback("m3", "sla.breached", breach_id="brc_0")]

    assert not [problem for problem in ledger.problems(books) if "brc_1" in problem]


def test_a_breach_that_was_answered_while_it_was_told_may_be_told_as_met_late_too() -> None:
    books = good_books()
    books.callbacks[2] = callback("m3", "sla.met_late", breach_id="brc_1")

    assert not [problem for problem in ledger.problems(books) if "brc_1" in problem]


def test_percentiles_are_values_that_occurred() -> None:
    assert ledger.percentiles(range(1, 101)) == {"p50": 50, "p99": 99}
    assert ledger.percentiles([]) == {"p50": None, "p99": None}


def test_the_display_tells_what_is_sent_and_heard() -> None:
    console = Console(width=160, record=True, force_terminal=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    books = good_books()
    clock = {"id": "clk_1", "external_id": "35001", "tier": "gold", "metric": "resolution", "state": "running", "health": "at_risk"}
    books.service = replace(books.service, clocks=[clock | {"due_at": instant(10)}])
    for shown in (Lines(console), Board(console)):
        shown.begin("http://127.0.0.1:1", "key")
        shown.sent(books.posts[0], START)
        shown.heard(books.callbacks[1])
        shown.heard(replace(books.callbacks[1], refused="too old"))
        shown.update(books, START)
        shown.end()
    console.print(result(ledger.summary(books, ok=True, seconds=1), []))
    console.print(result(ledger.summary(books, ok=False, seconds=1), ["it rained"]))
    text = console.export_text()
    console.file.close()

    assert text.count("→ ticket.created #35001: 202 applied") >= 2
    assert text.count("signature verified") >= 2
    assert text.count("REFUSED: too old") >= 2
    assert "10.0 s" in text
    assert "✖ it rained" in text


def test_the_demo_needs_the_package_of_the_receiver() -> None:
    program = "import sys; sys.modules['standardwebhooks'] = None; from app.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, "demo"], capture_output=True, text=True, timeout=60)

    assert done.returncode == 1
    assert done.stderr.endswith("pip install 'slawatch[demo]'\n")


def test_the_whole_demo_succeeds_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "demo", "--json", "--seconds", "16"],
        env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    told = json.loads(done.stdout)

    assert (done.returncode, told["ok"], told["problems"]) == (0, True, []), done.stderr
    assert min(told["breaches"], told["warnings"], told["recoveries"]) > 0
    assert told["callbacks_verified"] == told["callbacks_received"]
    assert told["seconds"] < 60
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_takes_its_children_and_files_along(tmp_path: Path, sign: signal.Signals, code: int) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so would the demo
    demo = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "demo"],
        env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, before)
    assert demo.stdout
    line = demo.stdout.readline()
    children = psutil.Process(demo.pid).children(recursive=True)
    demo.send_signal(sign)
    demo.communicate(timeout=30)

    assert "The service runs on" in line
    assert demo.returncode == code
    assert children
    assert not [child for child in children if child.is_running()]
    assert list(tmp_path.iterdir()) == []


async def serve(handler: Any) -> tuple[str, Callable[[], Any]]:
    app = aiohttp.web.Application()
    app.router.add_post("/", handler)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}/", runner.cleanup


async def helpdesk_process() -> asyncio.subprocess.Process:
    arguments = ["-m", "app.cli._demo.helpdesk"]
    with tempfile.TemporaryFile() as errors:
        return await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors
        )
