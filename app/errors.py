"""The domain's errors. Each is one RFC 9457 problem: the class name is its type, the docstring its title.

`code` is the class name in snake case (`TicketNotFound` -> `ticket_not_found`); `slug` is the same with hyphens and names the page
of our docs that explains it. `detail` says what is wrong here, in a sentence, and never contains a secret.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One place of a bad input: a JSON pointer (RFC 6901; empty = the whole), and what is wrong there."""

    pointer: str
    detail: str


class SlaError(Exception):
    """Something went wrong."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, detail: str = "", *, errors: Sequence[Fault] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail or self.title())
        self.detail = detail or self.title()
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    @classmethod
    def code(cls) -> str:
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def slug(cls) -> str:
        return cls.code().replace("_", "-")

    @classmethod
    def title(cls) -> str:
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")


class InvalidRequest(SlaError):
    """The request cannot be understood."""

    status = HTTPStatus.BAD_REQUEST


class UnknownParameter(SlaError):
    """The request has a query parameter that does not exist."""

    status = HTTPStatus.BAD_REQUEST


class InvalidCursor(SlaError):
    """The cursor is damaged or not ours."""

    status = HTTPStatus.BAD_REQUEST


class CursorMismatch(SlaError):
    """The cursor belongs to another filter or sort."""

    status = HTTPStatus.BAD_REQUEST


class Unauthorized(SlaError):
    """The request carries no valid API key."""

    status = HTTPStatus.UNAUTHORIZED


class InvalidSignature(SlaError):
    """The signature or secret of the webhook is missing or wrong."""

    status = HTTPStatus.UNAUTHORIZED


class Forbidden(SlaError):
    """The API key does not have the scope for this."""

    status = HTTPStatus.FORBIDDEN


class NotFound(SlaError):
    """There is nothing at this address."""

    status = HTTPStatus.NOT_FOUND


class TicketNotFound(NotFound):
    """No ticket has this id."""


class ClockNotFound(NotFound):
    """No clock has this id."""


class BreachNotFound(NotFound):
    """No breach has this id."""


class EscalationNotFound(NotFound):
    """No escalation has this id."""


class SourceNotFound(NotFound):
    """No source of this name is configured."""


class ChannelNotFound(NotFound):
    """No channel of this name is configured."""


class DeliveryNotFound(NotFound):
    """No delivery has this id."""


class MessageNotFound(NotFound):
    """No inbound message has this id."""


class KeyNotFound(NotFound):
    """No API key has this id."""


class SilenceNotFound(NotFound):
    """No silence has this id."""


class MethodNotAllowed(SlaError):
    """The method is not allowed here."""

    status = HTTPStatus.METHOD_NOT_ALLOWED


class NotAcceptable(SlaError):
    """The format asked for is not available here."""

    status = HTTPStatus.NOT_ACCEPTABLE


class Conflict(SlaError):
    """The request does not fit the present state."""

    status = HTTPStatus.CONFLICT


class Gone(SlaError):
    """What the address stood for is over."""

    status = HTTPStatus.GONE


class PreconditionFailed(SlaError):
    """The resource has changed since it was read."""

    status = HTTPStatus.PRECONDITION_FAILED


class PayloadTooLarge(SlaError):
    """The body is larger than allowed."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(SlaError):
    """The content type is not supported here."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class InvalidBody(SlaError):
    """The body does not have the expected form."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class InvalidConfiguration(SlaError):
    """The configuration document has errors."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class PreconditionRequired(SlaError):
    """The request must say which version it changes."""

    status = HTTPStatus.PRECONDITION_REQUIRED


class RequestTimeout(SlaError):
    """The body did not arrive in time."""

    status = HTTPStatus.REQUEST_TIMEOUT


class Unavailable(SlaError):
    """The service cannot do this at the moment."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class Unreadable(SlaError):
    """An authentic message that cannot be read: it goes to quarantine."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
