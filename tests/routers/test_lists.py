"""Lists on the wire: pages, links, CSV, NDJSON, and what is refused."""

import csv
import io
import json
import re
from typing import Any

import httpx
import pytest

from app.schemas.breaches import Breach
from app.schemas.clocks import Clock
from app.schemas.config import Revision
from app.schemas.deliveries import Delivery
from app.schemas.inbox import InboxMessage
from app.schemas.keys import AuditEntry, Key
from app.schemas.tickets import Ticket, TimelineEvent
from tests.routers.api import Api, problem

LISTS: dict[str, type[Any]] = {
    "/v1/tickets": Ticket,
    "/v1/tickets/shop:1/timeline": TimelineEvent,
    "/v1/tickets/shop:1/clocks": Clock,
    "/v1/clocks": Clock,
    "/v1/breaches": Breach,
    "/v1/deliveries": Delivery,
    "/v1/inbox": InboxMessage,
    "/v1/keys": Key,
    "/v1/audit": AuditEntry,
    "/v1/config/revisions": Revision,
}


async def fill(api: Api, count: int = 3) -> None:
    """Tickets that are breached, told and acknowledged."""
    for number in range(1, count + 1):
        await api.send({"ticket": str(number), "set": {"status": "open", "tags": ["gold"], "subject": f"=cmd|{number}"}})
    api.clock.advance(hours=5)
    await api.tick()
    await api.key("read")


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_every_list_is_the_same_rows_as_json_csv_and_ndjson_with_the_documented_fields(api: Api) -> None:
    await fill(api)
    for path, model in LISTS.items():
        items = (await api.ok(path, limit=200))["items"]
        lines = await api.get(path, params={"format": "ndjson"})
        table = await api.get(path, params={"format": "csv"})

        assert items, path
        assert all(set(model.model_fields) == set(item) for item in items), path
        assert items == [json.loads(line) for line in lines.text.splitlines()], path
        assert list(model.model_fields) == next(csv.reader(io.StringIO(table.text))), path
        assert len(items) == len(rows_of(table)), path
        for item in items:
            model.model_validate(item)


async def test_following_the_links_yields_every_row_once(api: Api) -> None:
    await fill(api, 5)
    found: list[str] = []
    path: str | None = "/v1/clocks?metric=resolution&sort=-due_at&limit=2"
    while path:
        answer = await api.get(path)
        found += [item["external_id"] for item in answer.json()["items"]]
        link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
        assert (link is not None) == answer.json()["has_more"]
        path = link[1] if link else None

    assert ["5", "4", "3", "2", "1"] == found


async def test_the_link_of_a_ticket_with_a_slash_in_its_name_leads_back_to_it(api: Api) -> None:
    for number in range(3):
        await api.send({"ticket": "owner/repo#1", "key": str(number), "set": {"n": number}})
    first = await api.get("/v1/tickets/shop:owner%2Frepo%231/timeline?limit=2")
    second = await api.get(first.headers["link"].partition(">")[0][1:])

    assert (2, 1) == (len(first.json()["items"]), len(second.json()["items"]))


async def test_a_cursor_of_one_ticket_is_refused_for_another(api: Api) -> None:
    for ticket in ("1", "1", "2", "2"):
        await api.send({"ticket": ticket, "set": {"n": api.clock.advance(seconds=1).second}})
    cursor = (await api.ok("/v1/tickets/shop:1/timeline", limit=1))["next_cursor"]

    problem(await api.get("/v1/tickets/shop:2/timeline", params={"limit": 1, "cursor": cursor}), 400, "cursor_mismatch")
    problem(await api.get("/v1/clocks", params={"cursor": cursor}), 400, "cursor_mismatch")
    problem(await api.get("/v1/clocks", params={"cursor": cursor[:-2] + "AA"}), 400, "invalid_cursor")


async def test_csv_is_safe_to_open_in_a_spreadsheet_and_says_its_name(api: Api) -> None:
    await fill(api, 1)
    answer = await api.get("/v1/clocks", headers={"accept": "text/csv"}, params={"metric": "resolution"})
    [row] = rows_of(answer)

    assert "text/csv; charset=utf-8" == answer.headers["content-type"]
    assert 'attachment; filename="clocks.csv"' == answer.headers["content-disposition"]
    assert "'=cmd|1" == row["subject"]
    assert ("-3600", "2026-03-02T13:00:00.000Z", "") == (row["remaining_seconds"], row["due_at"], row["group"])
    assert "\r\n" in answer.text


async def test_csv_streams_the_whole_result_unless_a_limit_is_given(api: Api) -> None:
    events = [{"source": "bulk", "ticket": str(number), "at": "2026-03-02T09:00:00Z", "set": {"n": number}} for number in range(1000)]
    await api.post("/v1/events", json=events)
    whole = await api.get("/v1/tickets", params={"format": "csv", "sort": "id"})
    some = await api.get("/v1/tickets", params={"format": "csv", "limit": "3"})

    assert 1000 == len({row["id"] for row in rows_of(whole)})
    assert (3, True) == (len(rows_of(some)), "link" in some.headers)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("text/html, application/json;q=0.9, */*;q=0.8", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/*", "text/csv; charset=utf-8"),
        ("application/json;q=0.1, TEXT/CSV ; q=0.5", "text/csv; charset=utf-8"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/*", "application/json"),
        ("*/*, application/json;q=0", "text/csv; charset=utf-8"),
        ("text/csv;q=nonsense", "text/csv; charset=utf-8"),
    ],
)
async def test_the_form_is_the_one_the_client_likes_best(api: Api, accept: str | None, content_type: str) -> None:
    request = api.client.build_request("GET", "/v1/clocks")
    request.headers.pop("accept")
    if accept is not None:
        request.headers["accept"] = accept
    answer = await api.client.send(request)

    assert (200, content_type, "accept") == (answer.status_code, answer.headers["content-type"], answer.headers["vary"])


async def test_a_form_we_do_not_have_is_refused(api: Api) -> None:
    problem(await api.get("/v1/clocks", headers={"accept": "application/xml"}), 406, "not_acceptable")
    problem(await api.get("/v1/clocks", params={"format": "xml"}), 400, "invalid_request")


@pytest.mark.parametrize("path", [*LISTS, "/v1/config", "/v1/sources", "/v1/channels", "/v1/tickets/shop:1", "/v1/tickets/shop:1/explain"])
async def test_a_parameter_that_does_not_exist_is_refused_everywhere(api: Api, path: str) -> None:
    await api.send({"ticket": "1", "set": {"status": "open"}})
    found = problem(await api.get(path, params={"sorted": "id"}), 400, "unknown_parameter")

    assert ["/query/sorted"] == [fault.pointer for fault in found.errors]


async def test_a_misspelt_parameter_is_told_its_name(api: Api) -> None:
    assert "did you mean `limit`?" in problem(await api.get("/v1/clocks?limti=1"), 400, "unknown_parameter").detail
    assert "did you mean `at`?" in problem(await api.get("/v1/tickets/shop:1/explain?att=1"), 400, "unknown_parameter").detail
