"""What the address guard says of a channel's URL, without dialling it."""

import asyncio
import json
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import typer
from pydantic import BaseModel, ConfigDict, ValidationError

from app.delivery.resolver import LookupFailed, LookupTimeout, Resolve, SystemLookup, look_up
from app.guard import Blocked, GuardPolicy, judge_answers, judge_url

_DNS_SECONDS = 5.0


class _Question(BaseModel):
    """One line of input. Keys that are not named here are ignored."""

    model_config = ConfigDict(extra="ignore")

    url: str
    dns: Literal["hang"] | list[list[str] | Literal["hang"]] | None = None
    allow_networks: list[str] = []
    allow_http: bool = False
    status: int | None = None
    phase: str = ""


def check_url(
    urls: Annotated[list[str], typer.Argument(metavar="URL...", help="URLs, or - for JSON lines on standard input.")],
    allow_network: Annotated[list[str] | None, typer.Option(help="A network to permit, as in delivery.allow_networks.")] = None,
    allow_http: Annotated[bool, typer.Option("--allow-http", help="Permit plain http to public addresses.")] = False,
    lookup: Annotated[bool, typer.Option(help="Look up the names of URLs given as arguments.")] = True,
) -> None:
    """Say for each URL whether a delivery may go there: one line of JSON with url, allowed, rule, address and detail.

    Lines on standard input are objects with `url` and, if wanted, `dns` (a list of lookups, each the list of its answers, or
    "hang"), `allow_networks`, `allow_http`, and `status` (of the first answer: a redirect is refused). Nothing is looked up
    for them; without `dns` only the URL is judged. One attempt makes one lookup, so the first is judged; where `phase` speaks
    of several (`answer 1 ... answer 2`), all of those.

    The exit code is 0 when everything could be judged, 2 when a line could not be read; the others are still answered.
    """
    failed = False
    for line, resolve in _lines(urls, allow_network or [], allow_http=allow_http, lookup=lookup):
        answer = _answer(line, resolve)
        failed = failed or "error" in answer
        typer.echo(json.dumps(answer))
    if failed:
        raise typer.Exit(2)


def _lines(
    urls: Iterable[str], networks: list[str], *, allow_http: bool, lookup: bool
) -> Iterable[tuple[bytes | dict[str, Any], Resolve | None]]:
    """Each question (as read, or as the arguments make it) with the resolver to ask."""
    for url in urls:
        if url != "-":
            resolve: Resolve | None = SystemLookup() if lookup else None
            yield {"url": url, "allow_networks": networks, "allow_http": allow_http}, resolve
            continue
        for line in typer.get_binary_stream("stdin"):
            if line.strip():
                yield line, None


def _answer(line: bytes | dict[str, Any], resolve: Resolve | None) -> dict[str, Any]:
    raw: Any = None
    try:
        raw = line if isinstance(line, dict) else json.loads(line)
        question = _Question.model_validate(raw)
        return {"url": question.url, **_judge(question, resolve)}
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = f"{'.'.join(str(part) for part in first['loc']) or 'line'}: {first['msg']}"
    except (ValueError, RecursionError) as error:
        message = str(error)
    return {"url": raw.get("url") if isinstance(raw, dict) else None, "error": message}


def _judge(question: _Question, resolve: Resolve | None) -> dict[str, Any]:
    """The verdict. Raises ValueError for a network that cannot be read."""
    try:
        address = _dialled(question, resolve)
        if question.status is not None and 300 <= question.status < 400:
            raise Blocked("redirect", f"The receiver answers {question.status}: redirects are never followed.")
    except Blocked as blocked:
        return _verdict(blocked.rule, blocked.detail, blocked.address)
    except LookupTimeout as error:
        return _verdict("dns_timeout", str(error))
    except LookupFailed as error:
        return _verdict("dns_error", str(error))
    return _verdict(None, "", address)


def _dialled(question: _Question, resolve: Resolve | None) -> object:
    """The address that a delivery would dial first; None when the name was not looked up."""
    policy = GuardPolicy.of(question.allow_networks, allow_http=question.allow_http)
    target = judge_url(question.url, policy)
    if target.address is not None:
        return target.address
    addresses = [
        judge_answers(target.host, answers, policy, port=target.port, confined=target.confined)
        for answers in _answers(question, target.host, resolve)
    ]
    return addresses[0][0] if addresses else None


def _answers(question: _Question, host: str, resolve: Resolve | None) -> Iterable[Sequence[str]]:
    """The answers to judge, lookup by lookup. Raises LookupTimeout, LookupFailed."""
    if question.dns is None:
        if resolve is not None:
            yield asyncio.run(_look_up(resolve, host))
        return
    lookups: list[list[str] | Literal["hang"]] = ["hang"] if question.dns == "hang" else question.dns
    for number in [int(digits) for digits in re.findall(r"answer ([0-9]{1,3})", question.phase)] or [1]:
        if not 1 <= number <= len(lookups):
            raise LookupFailed(f"{host} has no answer {number}.")
        answers = lookups[number - 1]
        if answers == "hang":
            raise LookupTimeout(f"{host} was not looked up within {_DNS_SECONDS:g} s.")
        yield answers


async def _look_up(resolve: Resolve, host: str) -> Sequence[str]:
    return await look_up(resolve, host, _DNS_SECONDS)


def _verdict(rule: str | None, detail: str, address: object = None) -> dict[str, Any]:
    return {"allowed": rule is None, "rule": rule, "address": None if address is None else str(address), "detail": detail}
