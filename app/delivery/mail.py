"""The door out for e-mail: SMTP over a connection that the address guard has judged, as `client.py` is for HTTP.

The name is looked up once and all its answers are judged; the socket is connected to the judged address and TLS checks the
certificate by the name. What the server says, be it yes or no, is an answer; only where it says nothing there is an error.
"""

import asyncio
import contextlib
import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from time import monotonic

from aiosmtplib import (
    SMTP,
    SMTPConnectError,
    SMTPException,
    SMTPHeloError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from app.delivery.failures import SendFailed, not_connected
from app.delivery.resolver import Resolve, look_up
from app.delivery.timing import Marks, marks
from app.exchange import MailRequest, MailResponse
from app.guard import Address, GuardPolicy, Target, judge_answers, judge_url

_ANSWER_MAX = 8 * 1024  # bytes
_GOODBYE = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Dialling:
    """How mail servers are reached. `dns` and `connect` (for each address of a name) are seconds."""

    policy: GuardPolicy
    resolve: Resolve
    tls: ssl.SSLContext
    dns: float
    connect: float


async def hand_over(mail: MailRequest, how: Dialling, deadline: asyncio.Timeout) -> MailResponse:
    """Hand the message to the server, on a connection of its own. `deadline` is lifted as soon as the server has answered.

    Raises Blocked, LookupFailed, LookupTimeout, SendFailed or OSError when there is no answer. A server that takes the message
    for some of the recipients has taken it: the answer names the others.
    """
    noted = marks()
    target = _target(mail.host, how.policy)
    sock = await _dial(target, mail.port, how, noted)
    smtp = SMTP(
        hostname=target.host,
        sock=sock,
        local_hostname=_own_name(sock),
        use_tls=mail.tls == "implicit",
        start_tls=False,
        tls_context=how.tls,
        timeout=None,  # the deadline is over all of it
    )
    try:
        answer = await _said(smtp, mail)
        noted.first_byte = monotonic()
        deadline.reschedule(None)  # the answer is in: whether the server takes its leave changes nothing
        await _take_leave(smtp)
    finally:
        _hang_up(smtp)
    return answer


def _target(host: str, policy: GuardPolicy) -> Target:
    """The host as the guard spells it. Its own addresses are asked for at the dial: here there is no port yet."""
    return judge_url(f"https://[{host}]/" if ":" in host else f"https://{host}/", GuardPolicy(policy.allow_networks))


async def _dial(target: Target, port: int, how: Dialling, noted: Marks) -> socket.socket:
    """A connection to the first address that takes one. All of them have been judged."""
    addresses = await _judged(target, port, how, noted)
    noted.dialled = monotonic()
    failed = OSError()
    for address in addresses:
        try:
            sock = await _connect(address, port, how.connect)
        except OSError as error:  # TimeoutError is one
            failed = error
        else:
            noted.connected()
            return sock
    raise SendFailed(*not_connected(failed)) from failed


async def _judged(target: Target, port: int, how: Dialling, noted: Marks) -> tuple[Address, ...]:
    if target.address is not None:
        return judge_answers(target.host, [target.host], how.policy, port=port)
    with noted.span("dns"):
        answers = await look_up(how.resolve, target.host, how.dns)
    return judge_answers(target.host, answers, how.policy, port=port, confined=target.confined)


async def _connect(address: Address, port: int, seconds: float) -> socket.socket:
    sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(sock, (str(address), port))
    except BaseException:
        sock.close()
        raise
    return sock


def _own_name(sock: socket.socket) -> str:
    """How we greet: by our address, since we may have no name (RFC 5321, section 4.1.3)."""
    address = ip_address(str(sock.getsockname()[0]).partition("%")[0])
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"


async def _said(smtp: SMTP, mail: MailRequest) -> MailResponse:
    """What the server says in the end. Raises SendFailed or OSError when that is nothing that could be understood."""
    try:
        return await _converse(smtp, mail)
    except SMTPRecipientsRefused as error:  # of several reasons, one that may pass
        return _refusal(min(error.recipients, key=lambda refused: refused.code))
    except SMTPResponseException as error:
        return _refusal(error)
    except SMTPTimeoutError as error:
        raise SendFailed("timeout", "The mail server did not finish the TLS handshake.") from error
    except (SMTPConnectError, SMTPServerDisconnected) as error:
        if isinstance(error.__cause__, ssl.SSLError):
            raise error.__cause__ from None
        raise SendFailed("connection_reset", "The mail server closed the connection without an answer.") from error
    except SMTPException as error:
        raise SendFailed("protocol_error", f"The mail server cannot do what is needed: {error.message}") from error


async def _converse(smtp: SMTP, mail: MailRequest) -> MailResponse:
    await smtp.connect()
    if mail.tls == "starttls":
        await _encrypt(smtp)
    if mail.username is not None:
        await smtp.login(mail.username, mail.password or "")
    refused, words = await smtp.sendmail(mail.sender, mail.recipients, mail.data)
    lines = [words, *(f"refused {address}: {answer.code} {answer.message}" for address, answer in refused.items())]
    return MailResponse(250, _cut("\n".join(lines)))


async def _encrypt(smtp: SMTP) -> None:
    """STARTTLS, or nothing: a server (or whoever sits in between) that does not offer it gets no message."""
    try:
        await smtp.ehlo()
    except SMTPHeloError as error:
        if error.code < 500:
            raise
    if not smtp.supports_extension("starttls"):
        raise SendFailed("tls_error", "The mail server offers no STARTTLS, and without encryption nothing is sent.")
    await smtp.starttls()


def _refusal(error: SMTPResponseException) -> MailResponse:
    """SendFailed for what is no reply code: then it was not SMTP that was spoken."""
    code = int(error.code)
    if not 200 <= code <= 599:
        raise SendFailed("protocol_error", "The answer is not SMTP.") from error
    return MailResponse(code, _cut(error.message))


def _cut(words: str) -> bytes:
    return words.encode("utf-8", "surrogateescape")[:_ANSWER_MAX]


async def _take_leave(smtp: SMTP) -> None:
    with contextlib.suppress(SMTPException, OSError):  # TimeoutError is an OSError
        async with asyncio.timeout(_GOODBYE):
            await smtp.quit()


def _hang_up(smtp: SMTP) -> None:
    """At once: what a server does not read must not keep the connection."""
    transport = smtp.transport
    smtp.close()
    if transport is not None:
        abort = getattr(transport, "abort", transport.close)  # each event loop has transports of its own
        abort()
