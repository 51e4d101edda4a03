"""Fakes of the APIs of the helpdesks: each behaves as its documentation says where the translators depend on it."""

import base64
from typing import Any

from app.exchange import HttpResponse
from tests.helpdesks.writing.api import Answer, Api, Call, require


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Zendesk(Api):
    """Tags of an update replace; `safe_update` is refused when the ticket was changed since."""

    stamp = "2026-03-02T09:00:00Z"

    def route(self, call: Call) -> Answer:
        require(call.headers["authorization"] == basic("bot@example.com/token", "s3cret"))
        t = self.ticket
        if call.at("GET", "/api/v2/tickets/42.json"):
            shown = {"id": 42, "status": t.status, "priority": t.priority, "tags": t.tags, "group_id": t.group, "assignee_id": t.assignee}
            return 200, {"ticket": {**shown, "updated_at": self.stamp}}
        if call.at("GET", "/api/v2/tickets/42/comments.json"):
            return 200, {"comments": [{"body": note} for note in t.notes]}
        require(call.at("PUT", "/api/v2/tickets/42.json") is not None, 404)
        change = call.json["ticket"]
        require(change["safe_update"] is True and change["updated_stamp"] == self.stamp, 409)
        t.priority, t.tags = change.get("priority", t.priority), change.get("tags", t.tags)
        t.group, t.assignee = change.get("group_id", t.group), change.get("assignee_id", t.assignee)
        if "comment" in change:
            require(change["comment"]["public"] is False, 422)
            t.notes.append(change["comment"]["body"])
        return 200, {"ticket": {"id": 42}}


class Jira(Api):
    """Labels are changed by operations; the answer names the key the issue has now."""

    key = "42"

    def route(self, call: Call) -> Answer:
        require(call.headers["authorization"] == basic("bot@example.com", "s3cret"))
        t, here = self.ticket, f"/rest/api/2/issue/{self.key}"
        if call.at("GET", "/rest/api/2/issue/42"):
            fields = {
                "labels": t.tags,
                "priority": t.priority and {"name": t.priority},
                "assignee": t.assignee and {"accountId": t.assignee},
            }
            category = "done" if t.status == "Resolved" else "indeterminate"
            return 200, {"key": self.key, "fields": {**fields, "status": {"name": t.status, "statusCategory": {"key": category}}}}
        if call.at("GET", f"{here}/comment"):
            return 200, {"comments": [{"body": note} for note in t.notes]}
        if call.at("PUT", here):
            t.tags += [operation["add"] for operation in call.json.get("update", {}).get("labels", [])]
            t.priority = call.json.get("fields", {}).get("priority", {"name": t.priority})["name"]
        elif call.at("PUT", f"{here}/assignee"):
            t.assignee = call.json["accountId"]
        else:
            require(call.at("POST", f"{here}/comment") is not None, 404)
            require(call.json["properties"] == [{"key": "sd.public.comment", "value": {"internal": True}}], 400)
            t.notes.append(call.json["body"])
            return 201, {"id": "1"}
        return 204, None


class Freshdesk(Api):
    """Tags replace; an update with a word that is no number is refused. Conversations come in pages, oldest first."""

    wrapper: str | None = None
    older = 0
    """How many conversations there are before ours."""

    def route(self, call: Call) -> Answer:
        require(call.headers["authorization"] == basic("s3cret", "X"))
        t = self.ticket
        if call.at("GET", "/api/v2/tickets/42"):
            ticket = {"id": 42, "status": t.status, "priority": t.priority, "tags": t.tags, "group_id": t.group, "responder_id": t.assignee}
            return 200, ticket if self.wrapper is None else {self.wrapper: ticket}
        if call.at("GET", "/api/v2/tickets/42/conversations"):
            return self._page([*(["hello"] * self.older), *t.notes], int(call.query["page"]), int(call.query["per_page"]))
        if call.at("PUT", "/api/v2/tickets/42"):
            require(all(isinstance(call.json.get(name, 1), int) for name in ("priority", "group_id", "responder_id")), 400)
            t.tags, t.priority = call.json.get("tags", t.tags), call.json.get("priority", t.priority)
            t.group, t.assignee = call.json.get("group_id", t.group), call.json.get("responder_id", t.assignee)
            return 200, {"id": 42}
        require(call.at("POST", "/api/v2/tickets/42/notes") is not None and call.json["private"] is True, 400)
        t.notes.append(call.json["body"])
        return 201, {"id": 7}

    def _page(self, texts: list[str], page: int, size: int) -> HttpResponse:
        more = {"link": '<https://acme.freshdesk.com/next>; rel="next"'} if len(texts) > page * size else {}
        return HttpResponse(200, more, " ".join(texts[(page - 1) * size : page * size]).encode())


class Freshservice(Freshdesk):
    wrapper = "ticket"


class Zammad(Api):
    """Tags are added one by one; an update may bring an article."""

    def route(self, call: Call) -> Answer:
        require(call.headers["authorization"] == "Token token=s3cret")
        t = self.ticket
        if call.at("GET", "/api/v1/tickets/42"):
            require(call.query == {"expand": "true"}, 400)
            return 200, {"id": 42, "state": t.status, "priority": t.priority, "group": t.group, "owner": t.assignee}
        if call.at("GET", "/api/v1/tags"):
            return 200, {"tags": t.tags}
        if call.at("GET", "/api/v1/ticket_articles/by_ticket/42"):
            return 200, [{"body": note} for note in t.notes]
        if call.at("POST", "/api/v1/tags/add"):
            require((call.json["object"], call.json["o_id"]) == ("Ticket", "42"), 400)
            t.tags.append(call.json["item"])
            return 201, True
        require(call.at("PUT", "/api/v1/tickets/42") is not None, 404)
        t.priority, t.group = call.json.get("priority", t.priority), call.json.get("group", call.json.get("group_id", t.group))
        t.assignee = call.json.get("owner", call.json.get("owner_id", t.assignee))
        if article := call.json.get("article"):
            require(article["internal"] is True and article["type"] == "note", 400)
            t.notes.append(article["body"])
        return 200, {"id": 42}


class Intercom(Api):
    """Conversations and tickets; tags have ids."""

    of = "conversations"

    def route(self, call: Call) -> Answer:
        require(call.headers["authorization"] == "Bearer s3cret" and "intercom-version" in call.headers)
        t, here = self.ticket, f"/{self.of}/42"
        if call.at("GET", here):
            state = {"ticket_state": {"category": t.status}} if self.of == "tickets" else {"state": t.status}
            tags = {"tags": [{"id": f"id-{name}", "name": name} for name in t.tags]}
            assigned = {"admin_assignee_id": t.assignee, "team_assignee_id": t.group}
            return 200, {**state, **assigned, "tags": tags, "conversation_parts": {"conversation_parts": [{"body": n} for n in t.notes]}}
        if call.at("POST", "/tags"):
            return 200, {"id": f"id-{call.json['name']}"}
        require(call.path.startswith(here), 404)
        if call.at("PUT", "/tickets/42"):
            t.assignee = call.json["assignment"]["assignee_id"]
            return 200, {}
        require(call.json["admin_id"] == "5", 422)
        if call.at("POST", f"{here}/tags"):
            t.tags.append(call.json["id"].removeprefix("id-"))
        elif call.at("POST", "/conversations/42/parts"):
            name = {"team": "group", "admin": "assignee"}[call.json["type"]]
            setattr(t, name, call.json["assignee_id"])
        else:
            require(call.at("POST", f"{here}/reply") is not None and call.json["message_type"] == "note", 400)
            t.notes.append(call.json["body"])
        return 200, {}


class HelpScout(Api):
    """Tokens of two days; tags replace."""

    tokens = 0

    def route(self, call: Call) -> Answer:
        if call.at("POST", "/v2/oauth2/token"):
            require(call.json == "grant_type=client_credentials&client_id=app&client_secret=s3cret")
            self.tokens += 1
            return 200, {"access_token": f"token-{self.tokens}"}
        require(call.headers["authorization"] == f"Bearer token-{self.tokens}")
        t, here = self.ticket, "/v2/conversations/42"
        if call.at("GET", here):
            return 200, {"status": t.status, "tags": [{"tag": name} for name in t.tags], "assignee": t.assignee and {"id": t.assignee}}
        if call.at("GET", f"{here}/threads"):
            return 200, {"_embedded": {"threads": [{"body": note} for note in t.notes]}}
        if call.at("PUT", f"{here}/tags"):
            t.tags = call.json["tags"]
        elif call.at("PATCH", here):
            require((call.json["op"], call.json["path"]) == ("replace", "/assignTo") and isinstance(call.json["value"], int), 400)
            t.assignee = call.json["value"]
        else:
            require(call.at("POST", f"{here}/notes") is not None, 404)
            t.notes.append(call.json["text"])
            return 201, None
        return 204, None


class HubSpot(Api):
    """Tags are properties; notes are objects, found by a search."""

    def is_write(self, call: Call) -> bool:
        return super().is_write(call) and not call.path.endswith("/search")

    def route(self, call: Call) -> Answer:
        require(call.headers["authorization"] == "Bearer s3cret")
        t, root = self.ticket, "/crm/v3/objects"
        if call.at("GET", f"{root}/tickets/42"):
            told = {"hs_ticket_priority": t.priority, "hs_pipeline_stage": t.status, "hubspot_owner_id": t.assignee}
            asked = call.query["properties"].split(",")
            known = told | dict.fromkeys(t.tags, "true")
            return 200, {"id": "42", "properties": {name: known.get(name) for name in asked}}
        if call.at("POST", f"{root}/notes/search"):
            return 200, {"results": [{"properties": {"hs_note_body": note}} for note in t.notes]}
        if call.at("PATCH", f"{root}/tickets/42"):
            change: dict[str, Any] = dict(call.json["properties"])
            t.priority, t.assignee = change.pop("hs_ticket_priority", t.priority), change.pop("hubspot_owner_id", t.assignee)
            t.tags += [name for name, value in change.items() if value == "true"]
            return 200, {}
        require(call.at("POST", f"{root}/notes") is not None, 404)
        require(call.json["associations"][0]["to"]["id"] == "42" and "hs_timestamp" in call.json["properties"], 400)
        t.notes.append(call.json["properties"]["hs_note_body"])
        return 201, {}
