"""Help Scout: the organization of a conversation's customer, which webhooks do not tell, and the conversation's own state.

https://developer.helpscout.com/mailbox-api/

An app's client credentials get a token that is good for two days. All apps of an account share 200 requests a minute (smallest plan).
"""

from collections.abc import MutableMapping
from typing import Any, ClassVar, Final

from pydantic import Field

from app.exchange import HttpRequest, HttpResponse
from app.helpdesks import Secret, SourceConfig, _common
from app.helpdesks._json import Node
from app.helpdesks.fetching import ApiConfig, CannotFetch, Walk, get, parsed
from app.helpdesks.fetching._telling import Teller
from app.helpdesks.writing import BaseUrl
from app.helpdesks.writing._calls import bearer, dig, request, segment
from app.rules.events import FactValue

TOKEN: Final = "token"  # noqa: S105  the name under which it is kept


class Config(ApiConfig):
    """How Help Scout's API is asked."""

    published_per_minute: ClassVar[float] = 200

    url: BaseUrl = Field(default="https://api.helpscout.net", description="Where the API is.")
    app_id: str = Field(min_length=1, description="Of the app made under My Apps.")
    app_secret: Secret


def look_up(source: SourceConfig, api: Config, ticket: str, kept: MutableMapping[str, str]) -> Walk[None]:
    """The conversation's status, and the organization of who asks."""
    found = yield from _get(api, kept, f"/v2/conversations/{segment(ticket)}")
    if found is None:
        return
    teller, place = Teller(source, ticket), Node(found)
    facts: dict[str, FactValue] = {}
    if (word := place.look("status").word()) is not None:
        facts |= _common.status_facts(word, source.status_words, teller.remarks)
    customer = place.look("primaryCustomer", "id").id()
    if customer is not None and (name := (yield from _organization(api, kept, customer))) is not None:
        facts["organization"] = name
    teller.born(place.look("createdAt").instant(), facts)
    touched = place.look("userUpdatedAt").instant() or place.look("createdAt").instant()
    if touched is not None:
        teller.snapshot(touched, facts)
    yield teller.story(found)


def _organization(api: Config, kept: MutableMapping[str, str], customer: str) -> Walk[str | None]:
    """What the customer's organization is called; older accounts have its name alone."""
    if (known := kept.get(f"organization of {customer}")) is not None:
        return known or None
    found = yield from _get(api, kept, f"/v2/customers/{segment(customer)}")
    name = Node(found).look("organization").value
    organization = dig(found, "organizationId")
    if not isinstance(name, str) and organization:
        name = dig((yield from _get(api, kept, f"/v2/organizations/{segment(str(organization))}")), "name")
    told = name.strip() if isinstance(name, str) else ""
    kept[f"organization of {customer}"] = told
    return told or None


def _get(api: Config, kept: MutableMapping[str, str], path: str) -> Walk[Any]:
    """The JSON of an answer, with a token; one that was kept and is refused (401) is got anew, once."""
    was_kept = TOKEN in kept
    if not was_kept:
        yield from _sign_in(api, kept)
    answer = yield _request(api, kept, path)
    if isinstance(answer, HttpResponse) and answer.status == 401 and was_kept:
        yield from _sign_in(api, kept)
        return (yield from get(_request(api, kept, path), optional=True))
    if answer is None or answer.status in (403, 404, 410):
        return None
    if not 200 <= answer.status < 300:
        raise CannotFetch(f"the API answered {answer.status}")
    return parsed(answer)


def _request(api: Config, kept: MutableMapping[str, str], path: str) -> HttpRequest:
    return request("GET", f"{api.url}{path}", bearer(kept[TOKEN]))


def _sign_in(api: Config, kept: MutableMapping[str, str]) -> Walk[None]:
    form = {"grant_type": "client_credentials", "client_id": api.app_id, "client_secret": api.app_secret.get_secret_value()}
    token = dig((yield from get(request("POST", f"{api.url}/v2/oauth2/token", {}, form=form))), "access_token")
    if not isinstance(token, str) or not token:
        raise CannotFetch("Help Scout gave no token")
    kept[TOKEN] = token
