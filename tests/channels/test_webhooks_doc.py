"""The receivers' page: its code works against what we send."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.channels.webhook import Config, render
from app.delivery.schedule import SCHEDULE
from app.schemas.events_out import event_types
from app.signing import new_secret
from app.timesource import utc_now
from tests.channels.notices import notice

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


@pytest.mark.parametrize("function", ["verify_with_library", "verify_by_hand"])
def test_the_pages_receiver_verifies_what_we_send(function: str) -> None:
    code: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, code)
    new, old = new_secret(), new_secret()
    config = Config.model_validate({"url": "https://hooks.example.com/", "secrets": [new, old]})
    request = render(notice(), config, utc_now())

    for secret in (new, old):
        assert code[function](secret, dict(request.headers), request.body)["type"] == "sla.breached"
    with pytest.raises(Exception, match=r"(?i)no .*match"):
        code[function](new_secret(), dict(request.headers), request.body)


def test_the_page_names_every_event_and_header() -> None:
    config = Config.model_validate({"url": "https://hooks.example.com/", "secrets": [new_secret()], "hub_signature_256": "x"})

    assert {name for name in event_types() if f"`{name}`" not in PAGE} == set()
    assert {name for name in render(notice(), config, utc_now()).headers if name not in PAGE} == set()


def test_the_page_has_our_schedule() -> None:
    words = [f"{int(wait.total_seconds())} s" for wait in SCHEDULE[:3]]
    words += [f"{int(wait.total_seconds()) // 60} min" for wait in SCHEDULE[3:6]]
    words += [f"{int(wait.total_seconds()) // 3600} h" for wait in SCHEDULE[6:]]

    assert f"{', '.join(words[:-1])} and {words[-1]}" in " ".join(PAGE.split())
