"""`slawatch signature`: sign, verify, new."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.signature import app
from app.timesource import utc_now

VECTORS = Path(__file__).parents[3] / "shared" / "cases" / "standard_webhooks_vectors.json"

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = '{"test": 2432232314}'
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NAMED = ("--secret", SECRET, "--id", ID, "--timestamp", "1614265330")


def run(*arguments: str, body: str | bytes = BODY) -> Result:
    return CliRunner().invoke(app, [*arguments, "-"], input=body)


def vectors() -> list[Any]:
    if not VECTORS.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"the vectors are not here: {VECTORS}"))]
    return [pytest.param(vector, id=vector["name"]) for vector in json.loads(VECTORS.read_text())["verify"]]


def test_the_published_vector_is_signed() -> None:
    result = run("sign", *NAMED)

    assert (result.exit_code, result.stdout) == (0, SIGNED + "\n")


def test_several_secrets_make_several_signatures_in_order() -> None:
    result = run("sign", "--secret", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", *NAMED)

    assert result.stdout == f"v1,78nXHjpFP0tVJQW5D0SBwmVyyW87BV/rL6MgfM/Bw44= {SIGNED}\n"


def test_the_body_is_read_from_a_file_byte_for_byte(tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(BODY.encode())
    result = CliRunner().invoke(app, ["sign", *NAMED, str(file)])
    changed = run("sign", *NAMED, body=BODY + "\r\n")

    assert result.stdout == SIGNED + "\n"
    assert changed.stdout != SIGNED + "\n"


def test_what_is_no_secret_signs_nothing() -> None:
    result = run("sign", "--secret", "plain", "--id", ID, "--timestamp", "1")

    assert (result.exit_code, result.stdout) == (1, "refused: invalid_secret\n")


@pytest.mark.parametrize("vector", vectors())
def test_we_verify_as_the_vectors_say(vector: dict[str, Any]) -> None:
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    result = run(
        *("verify", "--secret", vector["secret"], "--now", str(vector["now"]), "--tolerance", str(vector["tolerance_s"])),
        *("--id", headers.get("webhook-id", ""), "--timestamp", headers.get("webhook-timestamp", "")),
        *("--signature", headers.get("webhook-signature", "")),
        body=vector["payload"],
    )

    assert (result.exit_code, result.stdout) == ((0, "valid\n") if vector["valid"] else (1, f"refused: {vector['reason']}\n"))


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        ((*NAMED, "--signature", SIGNED, "--now", "1614265330"), "valid"),
        ((*NAMED, "--signature", SIGNED, "--now", "1614265630"), "valid"),
        ((*NAMED, "--signature", SIGNED, "--now", "1614265340", "--tolerance", "9"), "refused: timestamp_too_old"),
        ((*NAMED, "--signature", SIGNED), "refused: timestamp_too_old"),
        (NAMED, "refused: missing_header"),
        (("--secret", SECRET, "--signature", SIGNED), "refused: missing_header"),
        ((), "refused: invalid_secret"),
        (("--secret", SECRET, "--id", ID, "--timestamp", "-5", "--signature", SIGNED), "refused: invalid_timestamp"),
    ],
)
def test_the_reason_and_the_exit_code_tell_the_same(arguments: tuple[str, ...], printed: str) -> None:
    result = run("verify", *arguments)

    assert (result.exit_code, result.stdout.strip()) == (0 if printed == "valid" else 1, printed)


def test_without_now_the_present_counts() -> None:
    stamp = str(int(utc_now().timestamp()))
    signature = run("sign", "--secret", SECRET, "--id", ID, "--timestamp", stamp).stdout.strip()

    assert run("verify", "--secret", SECRET, "--id", ID, "--timestamp", stamp, "--signature", signature).stdout == "valid\n"


@pytest.mark.parametrize("flags", [(), ("--ed25519",)])
def test_a_new_secret_signs_what_its_receiver_verifies(flags: tuple[str, ...]) -> None:
    lines = CliRunner().invoke(app, ["new", *flags]).stdout.split()
    signature = run("sign", "--secret", lines[0], "--id", ID, "--timestamp", "1614265330").stdout.strip()
    verified = run(
        *("verify", "--secret", lines[-1], "--id", ID, "--timestamp", "1614265330", "--signature", signature, "--now", "1614265330")
    )

    assert len(lines) == (2 if flags else 1)
    assert verified.stdout == "valid\n"
