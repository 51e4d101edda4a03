"""What a kind may answer instead of our receipt: never an error, always something that can be sent."""

from pathlib import Path

import pytest

from app.helpdesks import answer_of, kinds, load
from tests.helpdesks.deliveries import golden, golden_files, request, source
from tests.helpdesks.test_contract import GARBAGE

HEADERS = [{}, {"X-Front-Challenge": "\x00\u20ac" * 2000}, {"X-Hook-Secret": "x"}, {"Content-Type": "text/xml"}]
ANSWERING = [kind for kind in kinds() if hasattr(load(kind), "answer")]


def test_there_are_kinds_that_answer_and_kinds_that_do_not() -> None:
    assert {"salesforce", "front"} <= set(ANSWERING) < set(kinds())


@pytest.mark.parametrize("kind", ANSWERING)
@pytest.mark.parametrize("headers", HEADERS, ids=range(len(HEADERS)))
def test_an_answer_to_anything_is_none_or_can_be_sent(kind: str, headers: dict[str, str]) -> None:
    for body in GARBAGE:
        said = answer_of(request(body, headers), source(kind))
        assert said is None or (200 <= said.status < 300 and "content-type" in said.headers and said.body)


@pytest.mark.parametrize(
    ("kind", "file"), [pytest.param(kind, file, id=f"{kind}-{file.stem}") for kind in ANSWERING for file in golden_files(kind)]
)
def test_what_carries_a_ticket_is_no_handshake(kind: str, file: Path) -> None:
    case = golden(file)
    said = answer_of(request(case["body"], case["headers"]), source(kind, **case["config"]))

    assert case["expect"]["outcome"] == "ignored" or said is None or not said.handshake


def test_most_kinds_leave_it_at_the_receipt() -> None:
    assert answer_of(request(b"{}"), source("zammad")) is None
