"""What the routes need: the parts of the service, and who is calling."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, cast

from fastapi import Depends, Request, Security, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import ClientDisconnect
from starlette.types import Receive
from starlette.types import Scope as ASGIScope

from app.delivery.client import DeliveryClient
from app.errors import Fault, Forbidden, Unauthorized, UnknownParameter
from app.exchange import HttpRequest
from app.routers.middleware import plain_segment
from app.schemas.text import clean
from app.services.auditor import Auditor
from app.services.configuration import LiveConfig
from app.services.errands import Errands
from app.services.ingest import Ingest
from app.services.keys import Caller, KeyRing, Scope
from app.services.reads import Reader
from app.settings import Settings
from app.store.database import Database
from app.store.filters import nearest
from app.timesource import Now


class _Name(StringConvertor):
    """`{id:name}`: a name or id of ours, which never has a colon, so that `/{id}` does not match what is meant for `/{id}:verb`. Of a
    source that is written back to, `source:NAME`."""

    regex = "(?:source:)?[^/:]+"


register_url_convertor("name", _Name())


@dataclass(frozen=True)
class Parts:
    """Everything the routes work with, made by `app.main`."""

    settings: Settings
    now: Now
    db: Database
    live: LiveConfig
    ingest: Ingest
    client: DeliveryClient
    keys: KeyRing
    reader: Reader
    errands: Errands
    auditor: Auditor
    since_detection: Callable[[], float | None]
    """Seconds since detection last ran to its end in this process; None: not yet."""


def parts_of(request: Request) -> Parts:
    """The parts of the application that answers this request."""
    return cast(Parts, request.app.state.parts)


_BEARER: Final = HTTPBearer(auto_error=False, scheme_name="apiKey", description="An API key: `Authorization: Bearer slaw_...`.")


async def caller(
    request: Request, needed: SecurityScopes, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> Caller:
    """Who is calling, with the right to do so. Unauthorized without a valid key, Forbidden when its scope is too small."""
    if credentials is None:
        raise Unauthorized("Send an API key as `Authorization: Bearer slaw_...`.")
    known = await parts_of(request).keys.authenticate(credentials.credentials)
    if known is None:
        challenge = {"www-authenticate": 'Bearer realm="slawatch", error="invalid_token"'}
        raise Unauthorized("The API key is unknown, expired or revoked.", headers=challenge)
    known_query(request)
    for scope in needed.scopes:
        if not known.may(cast(Scope, scope)):
            challenge = {"www-authenticate": f'Bearer realm="slawatch", error="insufficient_scope", scope="{scope}"'}
            raise Forbidden(f"This needs a key of the scope `{scope}`; yours has `{known.scope}`.", headers=challenge)
    return known


def known_query(request: Request) -> None:
    """UnknownParameter for a query key the operation does not have: silence would hide a typing error. Lists look at theirs themselves."""
    query = request.scope["query_string"]
    route = request.scope["route"]
    if not query or (route.openapi_extra or {}).get("parameters"):
        return
    known = [parameter.alias for parameter in get_flat_params(route.dependant) if isinstance(parameter.field_info, params.Query)]
    for key in request.query_params:
        if key not in known:
            raise UnknownParameter(
                f"There is no parameter `{clean(key[:100])}` here{nearest(key, known)}", errors=[Fault(f"/query/{key[:100]}", "is unknown")]
            )


PartsDep = Annotated[Parts, Depends(parts_of)]
Ingester = Annotated[Caller, Security(caller, scopes=["ingest"])]
Viewer = Annotated[Caller, Security(caller, scopes=["read"])]
Operator = Annotated[Caller, Security(caller, scopes=["operate"])]
Admin = Annotated[Caller, Security(caller, scopes=["admin"])]


async def raw_request(request: Request) -> HttpRequest:
    """The request as a value, with its raw body."""
    return await read_request(request.scope, request.receive)


async def read_request(scope: ASGIScope, receive: Receive) -> HttpRequest:
    """The same, read without the framework's objects. ClientDisconnect when the client goes away in the middle of the body."""
    message = await receive()
    pieces: list[bytes] = [message.get("body", b"")]
    while message.get("more_body", False):
        message = await receive()
        pieces.append(message.get("body", b""))
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    client = scope.get("client")
    return HttpRequest(scope["method"], _url(scope, headers.get("host", "")), headers, b"".join(pieces), client[0] if client else None)


def _url(scope: ASGIScope, host: str) -> str:
    path = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return f"{scope['scheme']}://{host}{path}{'?' if query else ''}{query}"


def segment(value: Any) -> str:
    """A path parameter as it was meant: an encoded slash is a slash again."""
    return plain_segment(str(value))
