"""E-mail addresses and mail hosts as the document gives them: plain spellings only, so that every server reads them alike."""

import re
from email.policy import SMTP
from typing import Annotated, Final

from pydantic import AfterValidator

from app.guard import check_url

ADDRESS_MAX: Final = 254  # characters (RFC 5321, section 4.5.3.1.3)
SENDER_MAX: Final = 400  # characters, with a name

_LOCAL: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_DOMAIN: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]*[A-Za-z][A-Za-z0-9-]*"
_ADDRESS: Final = re.compile(rf"(?=.{{1,64}}@){_LOCAL}@{_DOMAIN}")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


def bare(sender: str) -> str:
    """The address of a sender that has been checked: `sla@example.com` of `SLA <sla@example.com>`."""
    return str(SMTP.header_factory("From", sender).addresses[0].addr_spec)


def mailbox(address: str) -> str:
    """What two spellings of the same mailbox have in common: lower case, without the tag (`support+sla@...` is `support@...`)."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _address(text: str) -> str:
    if len(text) > ADDRESS_MAX or not _ADDRESS.fullmatch(text):
        raise ValueError("an address is written name@example.com, without anything around it, in ASCII")
    return text


def _sender(text: str) -> str:
    if len(text) > SENDER_MAX or not text.isprintable():
        raise ValueError("a sender is one line of at most 400 characters")
    header = SMTP.header_factory("From", text)
    if header.defects or len(header.addresses) != 1:
        raise ValueError('a sender is one address, or a name and one address: "SLA watch <sla@example.com>"')
    _address(header.addresses[0].addr_spec)
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError("a mail host is a name or an address, without a scheme, a port or brackets")
    check_url(f"https://[{text}]/" if ":" in text else f"https://{text}/")  # Blocked is a ValueError
    return text


Address = Annotated[str, AfterValidator(_address)]
"""One mailbox: `duty@example.com`."""

Sender = Annotated[str, AfterValidator(_sender)]
"""One mailbox, with or without a name."""

Host = Annotated[str, AfterValidator(_host)]
"""A name or an address whose spelling the guard accepts. Where it leads is judged when it is dialled."""
