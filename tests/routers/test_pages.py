"""Pages for people, and what operators ask."""

import re
from pathlib import Path

import pytest

from app.routers.pages import problem_pages
from app.services.health import checks
from app.store.database import Database
from tests.routers.api import Api, problem, running
from tests.support.clock import FakeClock


async def test_the_documentation_loads_nothing_from_elsewhere_and_has_no_inline_script(api: Api) -> None:
    page = await api.get("/docs")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert 3 == len(loaded)
    assert not re.search(r"<script>| on\w+=|https?:", page.text)
    assert "http" not in page.headers["content-security-policy"]
    for path in loaded:
        asset = await api.get(f"/{path}")
        assert (200, "public, max-age=86400") == (asset.status_code, asset.headers["cache-control"])
    problem(await api.get("/static/..%2F..%2Fmain.py"), 404, "not_found")
    problem(await api.get("/static/swagger-ui.LICENSE"), 404, "not_found")


async def test_the_address_of_a_problem_is_a_page_about_it(api: Api) -> None:
    found = problem(await api.get("/v1/tickets/tkt_nothing"), 404, "ticket_not_found")
    page = await api.get(found.type)
    overview = await api.get("/problems")

    assert "<h1>ticket-not-found</h1>" in page.text
    assert all(f"problems/{slug}" in overview.text for slug in problem_pages())
    problem(await api.get("/problems/nothing"), 404, "not_found")


async def test_the_service_is_alive_without_its_database_but_not_ready(api: Api) -> None:
    ready = await api.ok("/readyz")
    (api.folder / "slawatch.db").rename(api.folder / "gone.db")
    (api.folder / "slawatch.db").mkdir()
    await api.parts.db.close()
    found = problem(await api.get("/readyz"), 503, "unavailable")

    assert "ready" == ready["status"]
    assert ["/checks/database"] == [fault.pointer for fault in found.errors]
    assert "ok" == (await api.ok("/healthz"))["status"]
    problem(await api.get("/v1/clocks"), 503, "unavailable")


async def test_a_worker_answers_for_its_health_only_and_is_not_ready_before_detection_has_run(
    sqlite_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    async with running(Database(sqlite_url), sqlite_url, clock, tmp_path, role="worker") as api:
        found = problem(await api.get("/readyz"), 503, "unavailable")

        assert ["/checks/detection"] == [fault.pointer for fault in found.errors]
        assert 200 == (await api.get("/healthz")).status_code == (await api.get("/metrics")).status_code
        problem(await api.get("/v1/clocks"), 404, "not_found")


@pytest.mark.parametrize(("since", "ok"), [(None, False), (0.1, True), (30.0, True), (30.1, False)])
async def test_a_worker_that_is_far_behind_is_not_ready(api: Api, since: float | None, ok: bool) -> None:
    found = await checks(api.parts.db, api.parts.settings.database_url, detects=True, since_detection=since)

    assert ok == next(check.ok for check in found if check.name == "detection")


async def test_metrics_are_open_and_in_the_text_format(api: Api) -> None:
    answer = await api.get("/metrics", headers={"authorization": ""})

    assert "text/plain; version=0.0.4; charset=utf-8" == answer.headers["content-type"]
    assert "# TYPE slawatch_due_to_detected_seconds histogram" in answer.text


@pytest.mark.parametrize("path", ["/v1/clocks/", "/v1", "/v1/events/", "//v1/clocks", "/v1/config:check/"])
async def test_there_are_no_redirects(api: Api, path: str) -> None:
    problem(await api.get(path), 404, "not_found")
