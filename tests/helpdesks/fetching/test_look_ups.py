"""Looking up one ticket: what webhooks of HubSpot, Help Scout and Zendesk leave out."""

from typing import Any

import pytest

from app.exchange import HttpRequest, HttpResponse
from app.helpdesks import fetching
from app.helpdesks.fetching import CannotFetch, Story
from tests.helpdesks.deliveries import source
from tests.helpdesks.fetching.desks import Desk, drive
from tests.helpdesks.fetching.samples import URL, zendesk

APP = {"url": URL, "app_id": "app", "app_secret": "s3cret"}


def look_up(kind: str, desk: Desk, ticket: str, kept: dict[str, str] | None = None, **said: Any) -> list[Story]:
    config = source(kind, **said)
    api = fetching.api_of(config)
    assert api is not None
    return drive(fetching.look_up(config, api, ticket, {} if kept is None else kept), desk)[0]


def facts(stories: list[Story]) -> dict[str, Any]:
    [story] = stories
    return {name: fact for event in sorted(story.events, key=lambda each: each.at) for name, fact in event.set.items()}


class HelpScout(Desk):
    """Gives tokens t1, t2, ...; only the newest is good."""

    tokens = 0

    def answer(self, request: HttpRequest) -> HttpResponse:
        if request.url.endswith("/v2/oauth2/token"):
            self.asked.append("/v2/oauth2/token")
            self.tokens += 1
            self.authorization = f"Bearer t{self.tokens}"
            assert b"client_secret=s3cret" in request.body
            return HttpResponse(200, {}, f'{{"access_token": "t{self.tokens}", "expires_in": 172800}}'.encode())
        return super().answer(request)


def help_scout(**customer: Any) -> HelpScout:
    conversation = {
        "id": 35, "status": "active", "primaryCustomer": {"id": 501, "email": "ann@customer.example"},
        "createdAt": "2026-03-02T08:00:00Z", "userUpdatedAt": "2026-03-02T09:00:00Z", "subject": "Printer on fire",
    }  # fmt: skip
    extra = {
        "/v2/conversations/35": conversation,
        "/v2/customers/501": {"id": 501, **customer},
        "/v2/organizations/9": {"id": 9, "name": "Acme"},
    }
    return HelpScout("", extra=extra)


def test_help_scouts_organization_is_found_through_the_customer() -> None:
    kept: dict[str, str] = {}
    found = facts(look_up("help-scout", help_scout(organizationId=9), "35", kept, api=APP))

    assert ("Acme", "open") == (found["organization"], found["status"])
    assert kept["token"] == "t1"


def test_help_scouts_older_accounts_tell_the_organization_by_name() -> None:
    assert facts(look_up("help-scout", help_scout(organization=" Acme "), "35", api=APP))["organization"] == "Acme"


def test_a_token_and_the_customers_organization_are_kept() -> None:
    desk, kept = help_scout(organizationId=9), dict[str, str]()
    for _ in range(2):
        look_up("help-scout", desk, "35", kept, api=APP)

    assert {"/v2/oauth2/token": 1, "/v2/conversations/35": 2, "/v2/customers/501": 1} == {
        path: desk.asked.count(path) for path in ("/v2/oauth2/token", "/v2/conversations/35", "/v2/customers/501")
    }


def test_a_token_that_has_grown_old_is_got_anew_once() -> None:
    desk = help_scout(organizationId=9)
    found = facts(look_up("help-scout", desk, "35", {"token": "old"}, api=APP))

    assert (found["organization"], desk.tokens) == ("Acme", 1)


def test_a_token_that_is_refused_at_once_is_an_error_and_no_loop() -> None:
    desk = help_scout()
    desk.trouble = [HttpResponse(401)]

    with pytest.raises(CannotFetch, match="401"):
        look_up("help-scout", desk, "35", api=APP)


def test_a_customer_without_an_organization_says_nothing_of_it() -> None:
    assert "organization" not in facts(look_up("help-scout", help_scout(), "35", api=APP))


def test_hubspots_properties_become_the_facts_of_its_webhooks() -> None:
    properties = {
        "hs_pipeline_stage": "2", "hs_ticket_priority": "HIGH", "hubspot_owner_id": "77", "subject": "Printer on fire", "region": "emea",
        "createdate": "2026-03-02T08:00:00Z", "hs_lastmodifieddate": "2026-03-02T09:00:00.123Z", "hs_primary_company_name": "Acme",
        "hs_ticket_category": None,
    }  # fmt: skip
    desk = Desk("Bearer t0ken", extra={"/crm/v3/objects/tickets/35": {"id": "35", "properties": properties}})
    found = facts(
        look_up("hubspot", desk, "35", api={"url": URL, "token": "t0ken"}, status_map={"2": "pending"}, fields={"area": "region"})
    )

    assert {"status": "pending", "priority": "high", "assignee": "77", "organization": "Acme", "area": "emea"}.items() <= found.items()


def test_zendesk_tells_status_priority_and_organization_of_a_ticket_of_messaging() -> None:
    api = {"url": URL, "email": "bot@example.com", "token": "t0ken"}
    found = facts(look_up("zendesk", zendesk(), "35", api=api))

    assert ("solved", "high", "300") == (found["status"], found["priority"], found["organization"])


@pytest.mark.parametrize("kind", ["hubspot", "zendesk", "help-scout"])
def test_a_ticket_that_is_not_there_says_nothing(kind: str) -> None:
    desk = help_scout() if kind == "help-scout" else Desk("Bearer t0ken") if kind == "hubspot" else zendesk()
    api = {"hubspot": {"url": URL, "token": "t0ken"}, "zendesk": {"url": URL, "email": "bot@example.com", "token": "t0ken"}}.get(kind, APP)

    assert look_up(kind, desk, "404", api=api) == []
