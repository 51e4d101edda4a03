"""The receivers' page: its code works against what we send."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.channels.webhook import Config, render
from app.delivery.schedule import SCHEDULE
from app.exchange import HttpRequest
from app.schemas.events_out import event_types
from app.schemas.events_out_examples import examples
from app.signing import new_secret
from app.timesource import utc_now
from tests.channels.notices import notice

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "webhooks.md").read_text()
EVENTS = DOCS / "webhook-events.md"
MARK = "to write it anew -->\n"


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


def _request(event_type: str, secret: str) -> tuple[dict[str, str], bytes]:
    """The headers and body of what we send now."""
    config = Config.model_validate({"url": "https://hooks.example.com/", "secrets": [secret]})
    made = render(notice(event_type), config, utc_now())
    assert isinstance(made, HttpRequest)
    return dict(made.headers), made.body


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


NODE = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


@pytest.mark.parametrize("genuine", [True, False])
def test_the_pages_receiver_for_node_verifies_what_we_send(tmp_path: Path, genuine: bool) -> None:
    assert NODE is not None
    secret = new_secret()
    headers, body = _request("sla.breached", secret)
    (tmp_path / "verify.mjs").write_text(_block("javascript"))
    (tmp_path / "run.mjs").write_text(
        'import { verify } from "./verify.mjs";\n'
        "const [secret, headers] = process.argv.slice(2);\n"
        "const parts = []; for await (const part of process.stdin) parts.push(part);\n"
        "console.log(verify(secret, JSON.parse(headers), Buffer.concat(parts)).type);\n"
    )
    arguments = [NODE, str(tmp_path / "run.mjs"), secret if genuine else new_secret(), json.dumps(headers)]
    done = subprocess.run(arguments, input=body, capture_output=True, check=False)

    assert (done.returncode == 0) is genuine
    assert (b"sla.breached" in done.stdout) is genuine
    assert (b"no signature matches" in done.stderr) is not genuine


@pytest.mark.parametrize("genuine", [True, False])
def test_the_pages_shell_script_verifies_what_we_send(tmp_path: Path, genuine: bool) -> None:
    secret = new_secret()
    headers, body = _request("sla.recovered", secret)
    (tmp_path / "body.json").write_bytes(body)
    environ = {
        "PATH": os.environ["PATH"], "SECRET": secret if genuine else new_secret(), "ID": headers["webhook-id"],
        "TIMESTAMP": headers["webhook-timestamp"], "SIGNATURE": f"v1,b3RoZXI= {headers['webhook-signature']}",
    }  # fmt: skip
    done = subprocess.run(["sh", "-c", _block("sh")], cwd=tmp_path, env=environ, capture_output=True, check=False)

    assert done.stdout == (b"valid\n" if genuine else b"no signature matches\n")
    assert done.returncode == (0 if genuine else 1)


def _examples() -> str:
    """Each event as JSON, in the order in which they are listed."""
    bodies = examples()
    return "\n".join(f"### `{name}`\n\n```json\n{json.dumps(bodies[name], indent=2)}\n```\n" for name in event_types())


def test_the_events_page_shows_an_example_of_each() -> None:
    head, _, shown = EVENTS.read_text().partition(MARK)
    if os.environ.get("SLAWATCH_WRITE_DOCS"):
        EVENTS.write_text(f"{head}{MARK}\n{_examples()}")
        shown = f"\n{_examples()}"

    assert shown == f"\n{_examples()}"
