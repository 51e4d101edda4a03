"""What of a URL may be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.delivery.redaction import redact


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/hook", "https://example.com/hook"),
        ("https://user:secret@example.com:8443/hook?token=secret#secret", "https://example.com:8443/hook?..."),
        ("http://[::1]:9000/hook", "http://[::1]:9000/hook"),
        ("https://EXAMPLE.com", "https://example.com"),
        ("https://example.com:notaport/secret", "(unreadable URL)"),
        ("https://[::1/secret", "(unreadable URL)"),
        ("secret", "(unreadable URL)"),
        ("", "(unreadable URL)"),
    ],
)
def test_credentials_and_query_are_never_shown(url: str, shown: str) -> None:
    assert redact(url, show_path=True) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.slack.com/services/T000/B000/XXXXabcd", "https://hooks.slack.com/...abcd"),
        ("https://chat.example.com/v1?token=secret", "https://chat.example.com/..."),
        ("https://chat.example.com/abc", "https://chat.example.com/..."),
    ],
)
def test_a_path_is_a_secret_unless_it_is_asked_for(url: str, shown: str) -> None:
    assert redact(url) == shown


@given(st.text(max_size=40))
def test_any_text_can_be_redacted(url: str) -> None:
    assert isinstance(redact(url), str)
