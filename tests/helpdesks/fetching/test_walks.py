"""Walking through the tickets of a helpdesk over its API: what is told, by which keys, page by page."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from app.helpdesks import SourceConfig, fetching
from app.helpdesks.fetching import CannotFetch, Story
from app.rules.events import ActorKind, EventKind, TicketEvent
from tests.helpdesks.deliveries import read, source
from tests.helpdesks.fetching.desks import drive
from tests.helpdesks.fetching.samples import API, DESKS, freshdesk_ticket, jira, zendesk_ticket

EVERYTHING = "2000-01-01T00:00:00.000Z"
every_kind = pytest.mark.parametrize("kind", sorted(DESKS))


def of(kind: str, **said: Any) -> SourceConfig:
    return source(kind, api=API[kind], **said)


def walk(kind: str, desk: Any, since: str = EVERYTHING, **said: Any) -> tuple[list[Story], list[str]]:
    config = of(kind, **said)
    api = fetching.api_of(config)
    assert api is not None
    return drive(fetching.walk(config, api, since), desk)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-02T{text}:00Z")


def messages(story: Story) -> list[tuple[datetime, ActorKind, bool, str | None]]:
    said = [(event.at, event.message) for event in story.events if event.message is not None]
    return [(when, message.author, message.public, message.id) for when, message in sorted(said, key=lambda each: each[0])]


def first(story: Story, **facts: Any) -> datetime:
    """When these facts were asserted first."""
    return min(event.at for event in story.events if facts.items() <= dict(event.set).items())


def test_every_kind_with_a_list_is_walked_here() -> None:
    assert fetching.walkable() == sorted(DESKS)


@every_kind
def test_a_reply_a_note_and_the_solution_are_told_when_they_happened(kind: str) -> None:
    [story], _ = walk(kind, DESKS[kind]())
    replies = [(when, public, name) for when, author, public, name in messages(story) if author is ActorKind.AGENT]

    assert [(at("08:40"), True, "5"), (at("08:50"), False, "6")] == replies
    assert (at("08:00"), at("09:10")) == (first(story, created_at=at("08:00")), first(story, status="solved"))


@every_kind
def test_what_is_told_twice_has_the_same_keys(kind: str) -> None:
    [once], [twice] = (walk(kind, DESKS[kind]())[0] for _ in range(2))

    assert once.events == twice.events
    assert len({event.key for event in once.events}) == len(once.events)


@every_kind
def test_every_event_is_one_we_can_keep(kind: str) -> None:
    [story], _ = walk(kind, DESKS[kind]())

    assert all(event.at.tzinfo is UTC and event.source == f"our-{kind}" and event.ticket == story.ticket for event in story.events)
    assert sum(event.kind is EventKind.TICKET_CREATED for event in story.events) == 1
    assert b"Printer on fire" in story.raw


@every_kind
def test_credentials_that_are_refused_end_the_walk_with_a_sentence(kind: str) -> None:
    desk = DESKS[kind]()
    desk.authorization = "another"

    with pytest.raises(CannotFetch, match="answered 40"):
        walk(kind, desk)


@every_kind
def test_a_walk_begins_at_its_mark_and_tells_nothing_older(kind: str) -> None:
    desk = DESKS[kind]()
    _, marks = walk(kind, desk)
    later = copy.deepcopy(desk)
    later.tickets = later.tickets[:1] if kind == "zendesk" else []
    stories, again = walk(kind, later, marks[-1])

    assert stories == []
    assert marks[-1] <= again[-1]


@pytest.mark.parametrize("kind", ["zendesk", "freshdesk"])
def test_many_tickets_come_page_by_page_each_once_with_a_mark_behind_each_page(kind: str) -> None:
    make = zendesk_ticket if kind == "zendesk" else freshdesk_ticket
    desk = DESKS[kind]()
    desk.tickets = [make(n, updated_at=f"2026-03-02T{8 + n // 60:02}:{n % 60:02}:00Z") for n in range(1, 230)]
    desk.extra |= {f"/api/v2/tickets/{ticket['id']}": ticket for ticket in desk.tickets}
    desk.extra |= {f"/api/v2/tickets/{ticket['id']}/conversations": [] for ticket in desk.tickets}
    desk.size = 100
    stories, marks = walk(kind, desk)

    assert [str(n) for n in range(1, 230)] == [story.ticket for story in stories]
    assert len(marks) == 3


def test_tickets_that_share_the_instant_of_their_change_are_paged_through() -> None:
    desk = DESKS["freshdesk"]()
    desk.tickets = [freshdesk_ticket(n) for n in range(1, 230)]
    desk.extra |= {f"/api/v2/tickets/{n}": freshdesk_ticket(n) for n in range(1, 230)}
    stories, _ = walk("freshdesk", desk)

    assert [story.ticket for story in stories] == [str(n) for n in range(1, 230)]


def test_a_ticket_that_is_gone_by_now_is_passed_over() -> None:
    desk = DESKS["freshdesk"]()
    del desk.extra["/api/v2/tickets/35"]

    assert walk("freshdesk", desk)[0] == []


def test_freshdesk_names_groups_and_agents_as_its_webhooks_do_or_not_at_all() -> None:
    [story], _ = walk("freshdesk", DESKS["freshdesk"]())
    blind = DESKS["freshdesk"]()
    del blind.extra["/api/v2/groups"]
    [unnamed], _ = walk("freshdesk", blind)

    assert (at("09:30"), at("09:30")) == (first(story, group="Hardware"), first(story, assignee="bob@acme.example"))
    assert not any("group" in event.set for event in unnamed.events)


def test_zendesks_comments_have_the_ids_of_their_webhooks_and_roles_come_from_the_users() -> None:
    [story], _ = walk("zendesk", DESKS["zendesk"]())
    created = next(event for event in story.events if event.kind is EventKind.TICKET_CREATED)

    assert (at("08:00"), ActorKind.CUSTOMER, True, "1") == messages(story)[0]
    assert ("new", "high", ActorKind.CUSTOMER, "501") == (
        created.set["status"],
        created.set["priority"],
        created.actor.kind,
        created.actor.id,
    )
    assert [9001, 9002, 9003, 9004, 9005] == [event.order for event in story.events if event.key.startswith("audit:")]


def test_zendesks_own_changes_are_the_systems_and_those_of_our_user_are_echoes() -> None:
    [story], _ = walk("zendesk", DESKS["zendesk"](), our_user_ids=["77"])
    by_key: dict[str, TicketEvent] = {event.key: event for event in story.events}

    assert by_key["audit:9005"].actor.kind is ActorKind.SYSTEM
    assert [by_key["audit:9001"].echo, by_key["audit:9002"].echo] == [False, True]


def test_a_deleted_zendesk_ticket_is_told_as_deleted_without_its_audits() -> None:
    desk = DESKS["zendesk"]()
    desk.tickets = [zendesk_ticket(status="deleted")]
    [story], _ = walk("zendesk", desk)

    assert any(event.set.get("deleted") is True for event in story.events)
    assert not any("audits" in path for path in desk.asked)


def test_jiras_creation_is_told_as_the_changelog_says_it_was() -> None:
    [story], _ = walk("jira", DESKS["jira"]())
    born = next(event for event in story.events if event.kind is EventKind.TICKET_CREATED)

    assert ("new", None, "high") == (born.set["status"], born.set["assignee"], born.set["priority"])
    assert (at("08:40"), at("08:40")) == (first(story, status="open"), first(story, assignee="77"))


def test_jira_data_center_is_searched_by_number_and_token() -> None:
    desk = jira(cloud=False)
    desk.tickets *= 120
    desk.tickets = [{**issue, "id": str(n), "key": f"SUP-{n}"} for n, issue in enumerate(desk.tickets)]
    config = source("jira", api={"url": API["jira"]["url"], "token": "t0ken", "jql": "project = SUP"})
    api = fetching.api_of(config)
    assert api is not None
    stories, _ = drive(fetching.walk(config, api, EVERYTHING), desk)

    assert sorted(f"SUP-{n}" for n in range(120)) == sorted(story.ticket for story in stories)
    assert {"/rest/api/2/status", "/rest/api/2/search"} == set(desk.asked)


def test_jiras_comments_beyond_those_of_the_search_are_fetched() -> None:
    desk = jira()
    comments = desk.tickets[0]["fields"]["comment"]["comments"]
    desk.tickets[0]["fields"]["comment"] = {"total": 2, "comments": comments[:1]}
    desk.extra["/rest/api/2/issue/SUP-35/comment"] = {"comments": comments}
    [story], _ = walk("jira", desk)

    assert ["5", "6"] == [name for *_, name in messages(story)]


def test_a_long_changelog_that_jira_cloud_has_cut_is_fetched_whole() -> None:
    desk = jira()
    histories = desk.tickets[0]["changelog"]["histories"]
    desk.tickets[0]["changelog"] = {"total": 2, "histories": histories[:1]}
    desk.extra["/rest/api/2/issue/SUP-35/changelog"] = {"values": histories, "total": 2}
    [story], _ = walk("jira", desk)

    assert {"history:71", "history:72"} <= {event.key for event in story.events}


def test_zammads_articles_are_told_as_its_webhooks_tell_them() -> None:
    [story], _ = walk("zammad", DESKS["zammad"]())
    [told] = read(
        source("zammad"),
        {
            "ticket": DESKS["zammad"]().tickets[0],
            "article": {"id": 5, "sender": "Agent", "internal": False, "created_by_id": 77, "created_at": "2026-03-02T08:40:00Z"},
        },
    ).events[:1]
    fetched = next(event for event in story.events if event.message is not None and event.message.id == "5")

    assert (told.message, told.at, told.actor) == (fetched.message, fetched.at, fetched.actor)


def test_the_credentials_of_write_back_will_do() -> None:
    config = source("zendesk", write_back={"subdomain": "acme", "email": "bot@example.com", "token": "t0ken"}, reconcile={"every": "5m"})
    api = fetching.api_of(config)

    assert api is not None
    assert next(fetching.walk(config, api, EVERYTHING)).url.startswith("https://acme.zendesk.com/api/v2/incremental/")  # type: ignore[union-attr]


def test_reconciling_without_credentials_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the credentials"):
        source("zendesk", reconcile={})
