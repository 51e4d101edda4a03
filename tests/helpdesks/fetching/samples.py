"""Tickets as APIs tell them: one story in the words of each helpdesk.

A customer asks at 08:00, an agent answers publicly at 08:40 and sets it to pending, a colleague notes something at 08:50, it is solved at
09:10; at 09:30 a tag is added.
"""

from typing import Any

from tests.helpdesks.fetching.desks import Freshdesk, Jira, Zammad, Zendesk, basic

Json = dict[str, Any]
URL = "https://desk.example.com"


def zendesk_ticket(number: int = 35, **more: Any) -> Json:
    ticket = {
        "id": number, "status": "solved", "priority": "high", "subject": "Printer on fire", "requester_id": 501, "submitter_id": 501,
        "assignee_id": 77, "group_id": 9, "organization_id": 300, "tags": ["hot"], "via": {"channel": "email"},
        "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T09:30:00Z",
    }  # fmt: skip
    return ticket | more


def zendesk_audits() -> Json:
    def change(name: str, value: Any) -> Json:
        return {"type": "Change", "field_name": name, "value": value}

    return {
        "users": [{"id": 501, "role": "end-user"}, {"id": 77, "role": "agent"}],
        "audits": [
            {
                "id": 9001, "created_at": "2026-03-02T08:00:00Z", "author_id": 501,
                "events": [
                    {"id": 1, "type": "Comment", "author_id": 501, "public": True},
                    {"id": 2, "type": "Create", "field_name": "status", "value": "new"},
                    {"id": 3, "type": "Create", "field_name": "priority", "value": "high"},
                    {"id": 4, "type": "Notification", "recipients": [501]},
                ],
            },
            {
                "id": 9002, "created_at": "2026-03-02T08:40:00Z", "author_id": 77,
                "events": [
                    {"id": 5, "type": "Comment", "author_id": 77, "public": True},
                    change("status", "pending"), change("assignee_id", "77"), change("group_id", "9"),
                ],
            },
            {"id": 9003, "created_at": "2026-03-02T08:50:00Z", "author_id": 77, "events": [{"id": 6, "type": "Comment", "public": False}]},
            {"id": 9004, "created_at": "2026-03-02T09:10:00Z", "author_id": 77, "events": [change("status", "solved")]},
            {"id": 9005, "created_at": "2026-03-02T09:30:00Z", "author_id": -1, "events": [change("tags", ["hot"])]},
        ],
    }  # fmt: skip


def zendesk() -> Zendesk:
    return Zendesk(
        basic("bot@example.com/token:t0ken"),
        [zendesk_ticket()],
        {"/api/v2/tickets/35/audits.json": zendesk_audits(), "/api/v2/tickets/35.json": {"ticket": zendesk_ticket()}},
    )


def freshdesk_ticket(number: int = 35, **more: Any) -> Json:
    ticket = {
        "id": number, "status": 4, "priority": 3, "subject": "Printer on fire", "requester_id": 501, "responder_id": 77, "group_id": 9,
        "source": 1, "tags": ["hot"], "requester": {"email": "ann@customer.example"}, "company": {"name": "Acme"}, "spam": False,
        "custom_fields": {"cf_tier": "gold"}, "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T09:30:00Z",
        "stats": {"resolved_at": "2026-03-02T09:10:00Z", "closed_at": None, "status_updated_at": "2026-03-02T09:10:00Z"},
    }  # fmt: skip
    return ticket | more


def freshdesk() -> Freshdesk:
    talk = [
        {"id": 5, "user_id": 77, "incoming": False, "private": False, "created_at": "2026-03-02T08:40:00Z"},
        {"id": 6, "user_id": 78, "incoming": False, "private": True, "created_at": "2026-03-02T08:50:00Z"},
        {"id": 7, "user_id": 501, "incoming": True, "private": False, "created_at": "2026-03-02T09:00:00Z"},
    ]
    return Freshdesk(
        basic("k3y:X"),
        [freshdesk_ticket()],
        {
            "/api/v2/groups": [{"id": 9, "name": "Hardware"}],
            "/api/v2/agents": [{"id": 77, "contact": {"email": "bob@acme.example"}}],
            "/api/v2/tickets/35": freshdesk_ticket(),
            "/api/v2/tickets/35/conversations": talk,
        },
    )


def zammad() -> Zammad:
    ticket = {
        "id": 35, "number": "67035", "title": "Printer on fire", "state": "closed", "priority": "3 high", "group": "Hardware",
        "owner": "bob@acme.example", "owner_id": 77, "customer": "ann@customer.example", "customer_id": 501, "organization": "Acme",
        "create_article_type": "email", "created_at": "2026-03-02T08:00:00.000Z", "updated_at": "2026-03-02T09:30:00.000Z",
        "close_at": "2026-03-02T09:10:00.000Z", "last_close_at": "2026-03-02T09:10:00.000Z", "article_count": 3,
    }  # fmt: skip

    def article(number: int, sender: str, user: int, at: str, *, internal: bool = False) -> Json:
        return {
            "id": number, "ticket_id": 35, "sender": sender, "internal": internal, "type": "email", "created_by_id": user,
            "created_at": f"2026-03-02T{at}:00.000Z",
        }  # fmt: skip

    articles = [
        article(4, "Customer", 501, "08:00"), article(5, "Agent", 77, "08:40"), article(6, "Agent", 78, "08:50", internal=True),
    ]  # fmt: skip
    return Zammad("Token token=t0ken", [ticket], {"/api/v1/ticket_articles/by_ticket/35": articles})


def jira(*, cloud: bool = True) -> Jira:
    ann = {"accountId": "501", "accountType": "customer", "displayName": "Ann"}
    bob = {"accountId": "77", "accountType": "atlassian"}

    def item(field: str, before: str, after: str) -> Json:
        return {"field": field, "fromString": before, "toString": after, "from": before, "to": after}

    issue = {
        "id": "10035", "key": "SUP-35", "self": f"{URL}/rest/api/2/issue/10035",
        "fields": {
            "summary": "Printer on fire", "created": "2026-03-02T08:00:00.000+0000", "updated": "2026-03-02T10:30:00.000+0100",
            "status": {"name": "Fertig", "statusCategory": {"key": "done"}}, "priority": {"name": "High"}, "assignee": bob,
            "reporter": ann, "creator": ann, "labels": ["hot"],
            "comment": {
                "total": 2,
                "comments": [
                    {"id": "5", "author": bob, "jsdPublic": True, "created": "2026-03-02T08:40:00.000+0000"},
                    {"id": "6", "author": bob, "jsdPublic": False, "created": "2026-03-02T08:50:00.000+0000"},
                ],
            },
        },
        "changelog": {
            "histories": [
                {"id": "72", "created": "2026-03-02T09:10:00.000+0000", "author": bob, "items": [item("status", "Rückfrage", "Fertig")]},
                {
                    "id": "71", "created": "2026-03-02T08:40:00.000+0000", "author": bob,
                    "items": [item("status", "Neu", "Rückfrage"), item("assignee", "", "77"), item("Rank", "1", "2")],
                },
            ]
        },
    }  # fmt: skip
    words = {"Neu": "new", "Rückfrage": "indeterminate", "Fertig": "done"}
    statuses = [{"name": name, "statusCategory": {"key": key}} for name, key in words.items()]
    return Jira(basic("bot@example.com:t0ken") if cloud else "Bearer t0ken", [issue], {"/rest/api/2/status": statuses})


API: dict[str, Json] = {
    "zendesk": {"url": URL, "email": "bot@example.com", "token": "t0ken"},
    "freshdesk": {"url": URL, "api_key": "k3y"},
    "zammad": {"url": URL, "token": "t0ken"},
    "jira": {"url": URL, "email": "bot@example.com", "token": "t0ken"},
}
DESKS = {"zendesk": zendesk, "freshdesk": freshdesk, "zammad": zammad, "jira": jira}
