"""What the tests of the document share: one `check` with a fixed day and no surroundings."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from app.config.check import Checked, check
from app.config.compile import Loaded

TODAY = date(2026, 11, 21)
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "slawatch.yaml"
SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EXAMPLE_ENVIRONMENT = {
    "UPSTREAM_SECRET": SIGNING_SECRET,
    "SLACK_URL": "https://hooks.slack.com/services/T000/B000/XXXX",
    "ZENDESK_SIGNING_SECRET": "zendesk-signing-secret",
    "ZENDESK_TOKEN": "zendesk-token",
    "ZAMMAD_SECRET": "zammad-secret",
    "TRACKER_TOKEN": "tracker-token",
}


def checked(text: str, environ: Mapping[str, str] | None = None, base: Path = ROOT / "nowhere") -> Checked:
    """The document checked on a Saturday in November 2026."""
    return check(text, file="doc.yaml", environ=environ or {}, base=base, today=TODAY)


def said(text: str, environ: Mapping[str, str] | None = None, base: Path = ROOT / "nowhere") -> list[str]:
    """`line:column code` of every finding."""
    return [f"{found.line}:{found.column} {found.code}" for found in checked(text, environ, base).findings]


def loaded(text: str, environ: Mapping[str, str] | None = None, base: Path = ROOT / "nowhere") -> Loaded:
    """The document ready for use; fails with its errors when it has any."""
    result = checked(text, environ, base)
    assert result.loaded is not None, "\n".join(map(str, result.errors))
    return result.loaded


def example() -> Checked:
    """The rich example with its environment."""
    return checked(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE_ENVIRONMENT, EXAMPLE.parent)
