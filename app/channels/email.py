"""E-mail, handed to a mail server (RFC 5321, RFC 5322): plain text, and the same as HTML beside it.

All mails of one incident refer to the same root, so that mail programs show them as one thread. A mail keeps its Message-ID over all
attempts, by which most servers and programs drop a second copy. It says of itself that a program has made it (RFC 3834), and is never
sent to an address whose mail becomes a ticket: that would be a loop.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from app.channels import ChannelConfig, Notice
from app.channels._addresses import Address, Host, Sender, bare, mailbox
from app.channels._answers import answered
from app.channels._lifecycle import key, phase
from app.channels._story import Fact, Story, tell
from app.channels._text import clean, instant
from app.exchange import Delivered, MailRequest, MailResponse, Outcome, Rejected, Retry

SUBJECT_MAX: Final = 150  # characters; phones show fewer
RECIPIENTS_MAX: Final = 50
WORDS_MAX: Final = 200  # characters of the server's own words

_PORTS: Final = {"starttls": 587, "implicit": 465, "none": 25}
_POLICY: Final = SMTP.clone(cte_type="7bit")
_GONE: Final = frozenset({521, 530, 535, 556})  # takes no mail (RFC 7504); wants a login; refuses the login (RFC 4954)
_NO_MAILBOX: Final = re.compile(rb"5\.(?:1\.(?:1|2|3|6|10)|2\.1)\b")  # RFC 3463 and 7505: no such mailbox or domain, moved, disabled


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _is_a_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("there is no time zone of this name; Europe/Berlin is one") from None
    return name


Addresses = Annotated[list[Address], BeforeValidator(_listed, json_schema_input_type=str | list[str])]


class Config(ChannelConfig):
    """Mailboxes, reached through a mail server."""

    kind: Literal["email"] = "email"
    host: Host = Field(description="The mail server: a name, or an address.")
    port: int | None = Field(default=None, ge=1, le=65535, description="Default: 587; with implicit TLS 465, without TLS 25.")
    tls: Literal["starttls", "implicit", "none"] = Field(
        default="starttls", description="starttls: encrypt or send nothing; implicit: TLS from the first byte; none: in plain sight."
    )
    username: str | None = Field(default=None, min_length=1)
    password: SecretStr | None = None
    sender: Sender = Field(description="`sla@example.com`, or with a name: `SLA watch <sla@example.com>`.")
    recipients: Addresses = Field(min_length=1, max_length=RECIPIENTS_MAX)
    timezone: Annotated[str, AfterValidator(_is_a_zone)] = Field(default="UTC", description="Of the readers, an IANA name.")
    intake_addresses: Addresses = Field(
        default_factory=list, description="Addresses whose mail becomes a ticket: neither recipient nor sender may be one."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.username is None) is not (self.password is None):
            raise ValueError("a login needs both username and password")
        if self.username is not None and self.tls == "none":
            raise ValueError("a password is not sent without TLS")
        intake = {mailbox(address) for address in self.intake_addresses}
        looping = next((address for address in self.recipients if mailbox(address) in intake), None)
        if looping is not None:
            raise ValueError(f"the mail of {looping} becomes a ticket, so alerts sent there would open tickets")
        if mailbox(bare(self.sender)) in intake:
            raise ValueError("the sender's mail becomes a ticket, so bounces of alerts and answers to them would open tickets")
        return self


def render(notice: Notice, config: Config, at: datetime) -> MailRequest:
    """The mail, dated `at`, and its envelope."""
    return MailRequest(
        host=config.host,
        port=config.port or _PORTS[config.tls],
        tls=config.tls,
        sender=bare(config.sender),
        recipients=tuple(dict.fromkeys(config.recipients)),
        data=_subject(notice) + _message(notice, config, at).as_bytes(),
        username=config.username,
        password=config.password.get_secret_value() if config.password is not None else None,
    )


def interpret(response: MailResponse, at: datetime) -> Outcome:  # noqa: ARG001  a mail server names no time for the next try
    """2xx is delivered: the server has taken the message. 5xx is final, 4xx passes (RFC 5321, section 4.2.1).

    The channel is switched off when the login is refused, the server takes no mail at all, or there is no such mailbox.
    """
    if 200 <= response.status < 300:
        return Delivered()
    detail = _told(response)
    if 500 <= response.status < 600:
        gone = response.status in _GONE or _NO_MAILBOX.match(response.body) is not None
        return Rejected("smtp_5xx", detail, disable=gone)
    return Retry("smtp_4xx" if 400 <= response.status < 500 else "protocol_error", detail)


def _told(response: MailResponse) -> str:
    words = clean(response.body.decode("utf-8", "replace"), WORDS_MAX)
    said = answered(response)
    return f"{said} It says: {words.rstrip('.')}." if words else said


def _subject(notice: Notice) -> bytes:
    """The line by itself, all of it encoded: where plain and encoded words mix, the standard library loses blanks."""
    words = Header(tell(notice.event).brief(SUBJECT_MAX), "utf-8", header_name="Subject").encode(linesep="\r\n")
    return f"Subject: {words}\r\n".encode("ascii")


def _message(notice: Notice, config: Config, at: datetime) -> EmailMessage:
    """The mail without its subject."""
    story, zone = tell(notice.event), ZoneInfo(config.timezone)
    domain = bare(config.sender).rpartition("@")[2]
    root = f"<{_digest('incident', key(notice.event))}@{domain}>"
    mail = EmailMessage(policy=_POLICY)
    mail["Date"] = at.astimezone(zone)
    mail["From"] = config.sender
    mail["To"] = ", ".join(dict.fromkeys(config.recipients))
    mail["Message-ID"] = f"<{_digest('notice', config.name, notice.id)}@{domain}>"
    mail["In-Reply-To"] = mail["References"] = root
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if story.tone == "bad" and phase(notice.type) == "trigger":
        mail["Importance"] = "high"
    mail["X-Slawatch-Event"] = clean(notice.type)
    why = " ".join(
        part for part in ("Sent by slawatch.", f"Channel {config.name}." if config.name else "", "Nobody reads answers.") if part
    )
    mail.set_content(_plain(story, zone, why), cte="quoted-printable")
    if not notice.shortest:
        mail.add_alternative(_html(story, zone, why), subtype="html", cte="quoted-printable")
        mail.set_boundary(f"={_digest('boundary', notice.id)}")
    return mail


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _plain(story: Story, zone: ZoneInfo, why: str) -> str:
    first = (story.headline, story.title, story.people, *story.said, story.upcoming)
    facts = [f"{fact.name}: {_shown(fact, zone)}" for fact in story.facts]
    links = [f"{link.label}: {link.url}" for link in story.links]
    blocks: Iterable[Iterable[str | None]] = (first, facts, links, (" · ".join(story.ids), why))
    return "\n\n".join("\n".join(line for line in block if line) for block in blocks if any(block)) + "\n"


def _html(story: Story, zone: ZoneInfo, why: str) -> str:
    """Markup that every mail program shows: no style sheet, no picture, nothing to load."""
    rows = "".join(f"<tr><th align=left>{escape(fact.name)}</th><td>{escape(_shown(fact, zone))}</td></tr>\n" for fact in story.facts)
    links = " · ".join(f'<a href="{escape(link.url)}">{escape(link.label)}</a>' for link in story.links)
    said = (story.people, *story.said, story.upcoming)
    parts = (
        f"<h2>{escape(story.headline)}</h2>",
        f"<h3 dir=auto>{escape(story.title)}</h3>" if story.title else "",
        *(f"<p dir=auto>{escape(line)}</p>" for line in said if line),
        f"<table cellpadding=4>\n{rows}</table>" if rows else "",
        f"<p>{links}</p>" if links else "",
        f"<p><small>{escape(' · '.join((*story.ids, why)))}</small></p>",
    )
    return "<!doctype html>\n<html><body>\n" + "\n".join(part for part in parts if part) + "\n</body></html>\n"


def _shown(fact: Fact, zone: ZoneInfo) -> str:
    """An instant in the readers' zone, and in UTC beside it."""
    if isinstance(fact.value, str):
        return fact.value
    if zone.key == "UTC":
        return fact.shown
    return f"{fact.value.astimezone(zone):%Y-%m-%d %H:%M %Z} ({instant(fact.value)})"
