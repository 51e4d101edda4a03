"""`slawatch channel check-url`: what the address guard says, line by line."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.channel import app

CASES = Path(__file__).parents[3] / "shared" / "cases" / "ssrf_cases.json"


def run(*arguments: str, lines: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["check-url", *arguments], input=lines)


def judged(*questions: Any) -> list[dict[str, Any]]:
    result = run("-", lines="\n".join(json.dumps(one) for one in questions))
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def one(**question: Any) -> dict[str, Any]:
    [answer] = judged(question)
    return answer


def cases() -> list[Any]:
    if not CASES.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"the cases are not here: {CASES}"))]
    return [pytest.param(case, id=case["id"]) for case in json.loads(CASES.read_text())["cases"]]


@pytest.mark.parametrize("case", cases())
def test_the_guard_says_what_the_cases_say(case: dict[str, Any]) -> None:
    answer = one(**case)

    assert answer["url"] == case["url"]
    assert answer["allowed"] is not case["must_block"]
    assert answer["address"] not in case.get("must_never_dial", []) or not answer["allowed"]


def test_an_answer_has_the_rule_and_the_address() -> None:
    assert one(url="https://evil.example.com/", dns=[["93.184.216.34", "10.0.0.1"]]) == {
        "url": "https://evil.example.com/",
        "allowed": False,
        "rule": "address_forbidden",
        "address": "10.0.0.1",
        "detail": "10.0.0.1 is private (10.0.0.0/8): only public addresses are dialled, unless delivery.allow_networks names the network.",
    }
    assert one(url="https://ok.example.com/", dns=[["93.184.216.34"]]) == {
        "url": "https://ok.example.com/",
        "allowed": True,
        "rule": None,
        "address": "93.184.216.34",
        "detail": "",
    }


@pytest.mark.parametrize(
    ("question", "rule"),
    [
        ({"url": "https://ok.example.com/"}, None),
        ({"url": "https://ok.example.com/", "dns": "hang"}, "dns_timeout"),
        ({"url": "https://ok.example.com/", "dns": ["hang"]}, "dns_timeout"),
        ({"url": "https://ok.example.com/", "dns": []}, "dns_error"),
        ({"url": "https://ok.example.com/", "dns": [[]]}, "no_address"),
        ({"url": "https://ok.example.com/", "dns": [["1.1.1.1"]], "status": 204}, None),
        ({"url": "https://ok.example.com/", "dns": [["1.1.1.1"]], "status": 307}, "redirect"),
        ({"url": "http://127.0.0.1:9000/", "allow_networks": ["127.0.0.0/8"]}, None),
        ({"url": "http://localhost:9000/", "allow_networks": ["127.0.0.0/8"], "dns": [["127.0.0.1"]]}, None),
        ({"url": "http://localhost:9000/", "allow_networks": ["127.0.0.0/8"], "dns": [["1.1.1.1"]]}, "address_forbidden"),
        ({"url": "http://ok.example.com/", "allow_http": True}, None),
        ({"url": "https://127.0.0.1/", "allow_networks": ["::/0"]}, "allow_networks"),
    ],
)
def test_each_question_is_judged_by_what_it_says(question: dict[str, Any], rule: str | None) -> None:
    answer = one(**question)

    assert (answer["allowed"], answer["rule"]) == (rule is None, rule)


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        "{}",
        '{"url": 5}',
        '{"url": "https://a.example/", "dns": [5]}',
        '{"url": "https://a.example/", "dns": "never"}',
        '{"url": "https://a.example/", "allow_networks": ["office"]}',
        "[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_line_that_cannot_be_read_does_not_stop_the_others(line: str | bytes) -> None:
    good = b'{"url": "https://1.1.1.1/"}\n'
    result = run("-", lines=good + (line if isinstance(line, bytes) else line.encode()) + b"\n\n" + good)
    answers = [json.loads(answer) for answer in result.stdout.splitlines()]

    assert result.exit_code == 2
    assert [answer.get("allowed") for answer in answers] == [True, None, True]
    assert answers[1]["error"]


def test_urls_are_judged_as_arguments_too() -> None:
    result = run("https://1.1.1.1/a", "http://127.0.0.1:9000/")
    answers = [json.loads(line) for line in result.stdout.splitlines()]

    assert result.exit_code == 0
    assert [(answer["url"], answer["allowed"]) for answer in answers] == [("https://1.1.1.1/a", True), ("http://127.0.0.1:9000/", False)]


def test_an_argument_that_is_a_name_is_looked_up() -> None:
    looked_up, not_looked_up = (
        json.loads(run("http://localhost:9000/", "--allow-network", "127.0.0.0/8", "--allow-network", "::1/128", *more).stdout)
        for more in ((), ("--no-lookup",))
    )

    assert (looked_up["allowed"], looked_up["address"]) in ((True, "127.0.0.1"), (True, "::1"))
    assert (not_looked_up["allowed"], not_looked_up["address"]) == (True, None)


def test_plain_http_is_permitted_by_an_option() -> None:
    assert json.loads(run("http://1.1.1.1/").stdout)["rule"] == "plain_http"
    assert json.loads(run("http://1.1.1.1/", "--allow-http").stdout)["allowed"]
