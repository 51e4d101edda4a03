"""Fakes of the APIs of the helpdesks, continued."""

from typing import Any

from app.exchange import HttpResponse
from tests.helpdesks.writing.api import Answer, Api, Call, require
from tests.helpdesks.writing.fakes import basic


class Chatwoot(Api):
    """Labels replace."""

    def route(self, call: Call) -> Answer:
        require(call.headers["api_access_token"] == "s3cret")
        t, here = self.ticket, "/api/v1/accounts/3/conversations/42"
        if call.at("GET", here):
            meta = {"assignee": t.assignee and {"id": t.assignee}, "team": t.group and {"id": t.group}}
            return 200, {"status": t.status, "priority": t.priority, "labels": t.tags, "meta": meta}
        if call.at("GET", f"{here}/messages"):
            return 200, {"payload": [{"content": note} for note in t.notes]}
        if call.at("POST", f"{here}/labels"):
            t.tags = call.json["labels"]
        elif call.at("POST", f"{here}/toggle_priority"):
            t.priority = call.json["priority"]
        elif call.at("POST", f"{here}/assignments"):
            t.group, t.assignee = call.json.get("team_id", t.group), call.json.get("assignee_id", t.assignee)
        else:
            require(call.at("POST", f"{here}/messages") is not None and call.json["private"] is True, 400)
            t.notes.append(call.json["content"])
        return 200, {}


class Front(Api):
    """Tags by id."""

    def route(self, call: Call) -> Answer:
        require(call.headers["authorization"] == "Bearer s3cret")
        t, here = self.ticket, "/conversations/42"
        if call.at("GET", here):
            tags = [{"id": f"tag_{name}", "name": name} for name in t.tags]
            return 200, {"status": t.status, "tags": tags, "assignee": t.assignee and {"id": t.assignee}}
        if call.at("GET", f"{here}/comments"):
            return 200, {"_results": [{"body": note} for note in t.notes]}
        if call.at("GET", f"{here}/inboxes"):
            return 200, {"_results": [{"id": t.group}] if t.group else []}
        if call.at("POST", f"{here}/tags"):
            t.tags += [tag.removeprefix("tag_") for tag in call.json["tag_ids"]]
        elif call.at("PATCH", here):
            t.group, t.assignee = call.json.get("inbox_id", t.group), call.json.get("assignee_id", t.assignee)
        else:
            require(call.at("POST", f"{here}/comments") is not None and call.json["author_id"] == "tea_us", 400)
            t.notes.append(call.json["body"])
            return 201, {}
        return 204, None


class Gorgias(Api):
    """Tags are added by name."""

    def route(self, call: Call) -> Answer:
        require(call.headers["authorization"] == basic("bot@example.com", "s3cret"))
        t, here = self.ticket, "/api/tickets/42"
        if call.at("GET", here):
            assigned = {"assignee_user": t.assignee and {"id": t.assignee}, "assignee_team": t.group and {"id": t.group}}
            return 200, {"status": t.status, "priority": t.priority, "tags": [{"name": name} for name in t.tags], **assigned}
        if call.at("GET", "/api/messages"):
            return 200, {"data": [{"body_text": note} for note in t.notes]}
        if call.at("POST", f"{here}/tags"):
            t.tags += call.json["names"]
            return 204, None
        if call.at("PUT", here):
            t.priority = call.json.get("priority", t.priority)
            t.group = call.json.get("assignee_team", {"id": t.group})["id"]
            t.assignee = call.json.get("assignee_user", {"id": t.assignee})["id"]
            return 202, {}
        require(call.at("POST", f"{here}/messages") is not None and call.json["channel"] == "internal-note", 400)
        t.notes.append(call.json["body_text"])
        return 201, {}


class ServiceNow(Api):
    """One PATCH; the priority follows from impact and urgency."""

    sys_id = "9d385017c611228701d22104cc95c371"

    def route(self, call: Call) -> Answer:
        require(call.headers["authorization"] == basic("bot", "s3cret"))
        t = self.ticket
        if call.at("GET", "/api/now/table/incident"):
            fields = {
                "sys_id": self.sys_id,
                "state": t.status,
                "priority": t.priority,
                "assignment_group": t.group,
                "assigned_to": t.assignee,
            }
            known = fields | {f"u_{name}": "true" for name in t.tags}
            asked = call.query["sysparm_fields"].split(",")
            found = [{name: known.get(name) or "" for name in asked}] if call.query["sysparm_query"] == "number=42" else []
            return 200, {"result": found}
        if call.at("GET", "/api/now/table/sys_journal_field"):
            return 200, {"result": [{"value": note} for note in t.notes]}
        require(call.at("PATCH", f"/api/now/table/incident/{self.sys_id}") is not None, 404)
        change: dict[str, Any] = dict(call.json)
        if "impact" in change:
            t.priority = {("1", "1"): "1", ("2", "1"): "2", ("2", "2"): "3"}[change.pop("impact"), change.pop("urgency")]
        t.group, t.assignee = change.pop("assignment_group", t.group), change.pop("assigned_to", t.assignee)
        t.notes += [change.pop("work_notes")] if "work_notes" in change else []
        t.tags += [name.removeprefix("u_") for name in change]
        return 200, {"result": {}}


class Salesforce(Api):
    """A token by client credentials; checkboxes as tags."""

    def route(self, call: Call) -> Answer:
        if call.at("POST", "/services/oauth2/token"):
            return 200, {"access_token": "t1", "instance_url": "https://acme.my.salesforce.com"}
        require(call.headers["authorization"] == "Bearer t1")
        t, root = self.ticket, "/services/data/v61.0"
        if call.at("GET", f"{root}/sobjects/Case/5005g00000AbCdEAAV"):
            fields = {"Status": t.status, "Priority": t.priority, "IsClosed": t.status == "Closed", "OwnerId": t.assignee}
            known = fields | {f"{name}__c": True for name in t.tags}
            return 200, {name: known.get(name, False) for name in call.query["fields"].split(",")}
        if call.at("GET", f"{root}/query"):
            require("ParentId = '5005g00000AbCdEAAV'" in call.query["q"], 400)
            return 200, {"records": [{"CommentBody": note} for note in t.notes]}
        if call.at("PATCH", f"{root}/sobjects/Case/5005g00000AbCdEAAV"):
            change: dict[str, Any] = dict(call.json)
            t.priority, t.assignee = change.pop("Priority", t.priority), change.pop("OwnerId", t.assignee)
            t.tags += [name.removesuffix("__c") for name in change]
            return 204, None
        require(call.at("POST", f"{root}/sobjects/CaseComment") is not None and call.json["IsPublished"] is False, 400)
        t.notes.append(call.json["CommentBody"])
        return 201, {"success": True}


class GitHub(Api):
    """Labels and assignees are added; comments are public."""

    def route(self, call: Call) -> Answer:
        require(call.headers["authorization"] == "Bearer s3cret")
        t, here = self.ticket, "/repos/acme/desk/issues/42"
        if call.at("GET", here):
            assignees = [{"login": t.assignee}] if t.assignee else []
            return 200, {"state": t.status, "labels": [{"name": name} for name in t.tags], "assignees": assignees}
        if call.at("GET", f"{here}/comments"):
            return 200, [{"body": note} for note in t.notes]
        if call.at("POST", f"{here}/labels"):
            t.tags += call.json["labels"]
            return 200, []
        if call.at("POST", f"{here}/assignees"):
            [t.assignee] = call.json["assignees"]
            return 201, {}
        require(call.at("POST", f"{here}/comments") is not None, 404)
        t.notes.append(call.json["body"])
        return 201, {}


class GitLab(Api):
    """Labels are added by name."""

    def route(self, call: Call) -> Answer:
        require(call.headers["private-token"] == "s3cret")
        t, here = self.ticket, "/api/v4/projects/acme/desk/issues/42"
        if call.at("GET", here):
            return 200, {"state": t.status, "labels": t.tags, "assignees": [{"id": t.assignee}] if t.assignee else [], "moved_to_id": None}
        if call.at("GET", f"{here}/notes"):
            return 200, [{"body": note} for note in t.notes]
        if call.at("PUT", here):
            t.tags += call.json["add_labels"].split(",") if "add_labels" in call.json else []
            [t.assignee] = call.json.get("assignee_ids", [t.assignee])
            return 200, {}
        require(call.at("POST", f"{here}/notes") is not None and call.json["internal"] is True, 400)
        t.notes.append(call.json["body"])
        return 201, {}


class Linear(Api):
    """GraphQL: one address, and errors in answers of status 200."""

    def missing(self) -> Answer:
        return 200, {"data": None, "errors": [{"message": "Entity not found: Issue", "extensions": {"code": "INPUT_ERROR"}}]}

    def is_write(self, call: Call) -> bool:
        return str(call.json["query"]).startswith("mutation")

    def route(self, call: Call) -> Answer:
        require(call.headers["authorization"] == "s3cret" and call.path == "/graphql")
        t, query, said = self.ticket, call.json["query"], call.json["variables"]
        if "issueAddLabel" in query:
            t.tags.append(said["label"].removeprefix("id-"))
        elif "issueUpdate" in query:
            t.priority, t.assignee = said["input"].get("priority", t.priority), said["input"].get("assigneeId", t.assignee)
            t.group = said["input"].get("teamId", t.group)
        elif "commentCreate" in query:
            t.notes.append(said["body"])
        else:
            return 200, {"data": self._issue(said["names"])}
        return 200, {"data": {"done": {"success": True}}}

    def _issue(self, names: list[str]) -> dict[str, Any]:
        t = self.ticket
        issue = {
            "id": "uuid-42", "priority": t.priority or 0, "state": {"type": t.status}, "assignee": t.assignee and {"id": t.assignee},
            "team": {"id": t.group or "team-1"}, "labels": {"nodes": [{"id": f"id-{name}", "name": name} for name in t.tags]},
            "comments": {"nodes": [{"body": note} for note in t.notes]},
        }  # fmt: skip
        return {"issue": issue, "issueLabels": {"nodes": [{"id": f"id-{name}", "name": name, "team": None} for name in names]}}


class LiveAgent(Api):
    """Tags are ids, and replace."""

    def route(self, call: Call) -> Answer:
        require(call.headers["apikey"] == "s3cret")
        t, here = self.ticket, "/api/v3/tickets/42"
        if call.at("GET", here):
            return 200, {"status": t.status, "tags": t.tags, "departmentid": t.group, "agentid": t.assignee}
        if call.at("GET", f"{here}/messages"):
            return 200, [{"messages": [{"message": note} for note in t.notes]}]
        if call.at("PUT", here):
            t.tags = call.json.get("tags", t.tags)
            t.group, t.assignee = call.json.get("departmentid", t.group), call.json.get("agentid", t.assignee)
            return 200, {}
        require(call.at("POST", f"{here}/messages") is not None and call.json["type"] == "N", 400)
        t.notes.append(call.json["text"])
        return 200, {}


class Anything(Api):
    """The API of the generic tests: whatever the document says."""

    def route(self, call: Call) -> Answer:
        require(call.headers["authorization"] == "Bearer s3cret")
        t = self.ticket
        if call.at("PUT", "/tickets/42/labels/(.*)") is not None:
            name = call.path.rpartition("/")[2]
            t.tags += [] if name in t.tags else [name]
        elif call.at("PATCH", "/tickets/42"):
            t.priority, t.group = call.json.get("urgency", t.priority), call.json.get("team", t.group)
        else:
            require(call.at("POST", "/tickets/42/comments") is not None and call.json["internal"] is True, 404)
            t.notes.append(call.json["text"])
        return HttpResponse(204)
