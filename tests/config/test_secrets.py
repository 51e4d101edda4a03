"""Placeholders: where secrets come from, and that nobody sees them."""

from pathlib import Path

import pytest

from app.config.secrets import Resolver
from tests.config.support import SIGNING_SECRET, checked, loaded, said

HOOK = "channels: {{c: {{kind: webhook, url: {url}, secret: '{secret}', events: [sla.*]}}}}\n"


def resolver(base: Path = Path("nowhere"), **environ: str) -> Resolver:
    return Resolver(environ, base)


def test_a_placeholder_may_stand_anywhere_in_a_text() -> None:
    resolved = resolver(USER="ann", KEY="k1").resolve({"a": ["${env:USER}:${env:KEY}@host"], "b": 5})

    assert ({"a": ["ann:k1@host"], "b": 5}, {"ann", "k1"}) == (resolved.value, set(resolved.secrets))


def test_a_file_is_read_beside_the_document_without_its_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n\n", encoding="utf-8")

    assert "s3cret\n" == resolver(tmp_path).resolve("${file:key}").value
    assert "s3cret\n" == resolver().resolve(f"${{file:{tmp_path / 'key'}}}").value


def test_a_doubled_dollar_is_a_plain_one() -> None:
    assert "costs ${5}" == resolver().resolve("costs $${5}").value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("${env:MISSING}", "missing-secret"), ("${env:EMPTY}", "missing-secret"), ("${file:none}", "missing-secret"),
        ("${file:folder}", "missing-secret"), ("${file:binary}", "missing-secret"), ("${file:large}", "missing-secret"),
        ("${file:empty}", "missing-secret"), ("${file:a\0b}", "missing-secret"),
        ("${env:}", "bad-placeholder"), ("${env:A B}", "bad-placeholder"), ("${env}", "bad-placeholder"), ("${KEY}", "bad-placeholder"),
        ("${vault:KEY}", "bad-placeholder"), ("${env:KEY", "bad-placeholder"),
    ],
)  # fmt: skip
def test_what_cannot_be_replaced_is_told(text: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    (tmp_path / "empty").write_bytes(b"\n")
    resolved = resolver(tmp_path, EMPTY="", KEY="k").resolve({"key": [text]}, ("channels", "c"))

    assert [(("channels", "c", "key", 0), code)] == [(trouble.path, trouble.code) for trouble in resolved.troubles]


def test_the_loaded_document_keeps_the_placeholders() -> None:
    text = HOOK.format(url="'https://${env:HOST}/hook'", secret="${env:KEY}")
    ready = loaded(text, {"HOST": "example.com", "KEY": SIGNING_SECRET})

    assert ready.text == text
    assert "${env:KEY}" == ready.document.channels["c"]["secret"]
    assert SIGNING_SECRET not in repr(ready)
    assert SIGNING_SECRET == ready.channels["c"].model_dump()["secrets"][0].get_secret_value()


@pytest.mark.parametrize("secret", ["whsec_c2hvcnQ=", "no-standard-secret", "http"])
def test_no_message_holds_a_secret(secret: str) -> None:
    text = HOOK.format(url="'ftp://${env:KEY}/'", secret="${env:KEY}") + "sources: {s: {kind: '${env:KEY}', secret: '${env:KEY}'}}\n"
    messages = [found.message for found in checked(text, {"KEY": secret}).findings]

    assert len(messages) >= 3
    assert not [message for message in messages if secret in message]


def test_where_a_secret_is_missing_nothing_else_is_said_of_it() -> None:
    text = HOOK.format(url="https://example.com/hook", secret="${env:KEY}")

    assert [f"1:{text.index('${')} missing-secret"] == said(text)


def test_an_address_that_is_no_credential_may_stand_in_the_document() -> None:
    text = HOOK.format(url="https://example.com/hook", secret="${env:KEY}")

    assert [] == said(text, {"KEY": SIGNING_SECRET})


def test_secrets_in_plain_sight_are_warned_of_wherever_the_kind_keeps_secrets() -> None:
    text = (
        "channels:\n"
        f"  c: {{kind: webhook, url: https://example.com/, secrets: [{SIGNING_SECRET}], headers: {{x-key: abc}}, events: [sla.*]}}\n"
        "sources:\n  s: {kind: generic, verify: {hmac: {header: x-sig, secret: abc}}, events: [{ticket: body.id}]}\n"
    )

    columns = [line.index(secret) + 1 for line, secret in zip(text.splitlines()[1::2], (SIGNING_SECRET, "abc"), strict=True)]
    header = text.splitlines()[1].index("abc") + 1

    assert [f"2:{columns[0]} literal-secret", f"2:{header} literal-secret", f"4:{columns[1]} literal-secret"] == said(text)
