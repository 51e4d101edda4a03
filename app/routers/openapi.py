"""The OpenAPI document: what FastAPI makes of the routes, completed with problems, examples and the webhooks we send."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app import __version__
from app.schemas.events_in import EventIn
from app.schemas.events_out import event_types
from app.schemas.events_out_examples import examples
from app.schemas.problems import Problem

_REFERENCE: Final = "#/components/schemas/{model}"
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch", "head", "options", "trace"})
_TAGS: Final = {
    "inbound": "What helpdesks send, and what became of it.",
    "tickets": "Tickets, their timelines, and why their clocks stand as they do.",
    "clocks": "What breaks next.",
    "breaches": "What is broken, who was told, who takes care.",
    "escalations": "Who hears it next, until somebody acts.",
    "signals": "Behaviour that is alarming in itself.",
    "silences": "When nobody is to be told.",
    "deliveries": "What was sent to whom.",
    "configuration": "The one document that says who is promised what.",
    "access": "API keys and the audit log.",
    "operations": "Alive, ready, measured.",
}
_ABOUT: Final = """Ticket webhooks in, exact SLA clocks, signed breach callbacks out.

Every answer that is not a success is a problem (`application/problem+json`). Lists are paged by cursor and come as JSON, CSV or NDJSON.
Instants are RFC 3339 in UTC, durations whole seconds."""


def install(app: FastAPI) -> None:
    """Have `app.openapi()` make the whole document, once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _announced() -> APIRouter:
    """The webhooks we send, as if they were routes."""
    router = APIRouter()
    for name, model in event_types().items():
        _announce(router, name, model)
    return router


def _announce(router: APIRouter, name: str, model: type[BaseModel]) -> None:
    async def receiver(body: model) -> None:  # type: ignore[valid-type]
        """Sent to the channels that hear it: signed by Standard Webhooks 1.0, at least once, under a stable `webhook-id`."""

    summary = (model.__doc__ or name).strip().splitlines()[0]
    operation = name.replace(".", "_")
    responses: dict[int | str, dict[str, Any]] = {204: {"description": "Any 2xx: accepted."}}
    router.post(name, summary=summary, operation_id=f"on_{operation}", tags=["deliveries"], status_code=204, responses=responses)(receiver)


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title="slawatch",
        version=__version__,
        summary="SLA breach detection",
        description=_ABOUT,
        routes=app.routes,
        webhooks=_announced().routes,
        tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "/"}],
    )
    schemas = document["components"]["schemas"]
    _, shared = models_json_schema([(Problem, "serialization"), (EventIn, "validation")], ref_template=_REFERENCE)
    schemas |= shared["$defs"]
    for model in _models(BaseModel):
        if model.__name__ in schemas and (given := _given_examples(model)):
            schemas[model.__name__]["examples"] = given  # FastAPI has left out their nulls
    for operation in _operations(document["paths"]):
        _summarised(operation)
        _without_frameworks_errors(operation)
        _with_examples(operation, schemas)
    for name, body in examples().items():
        document["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]["example"] = body
        _without_frameworks_errors(document["webhooks"][name]["post"])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document


def _models(root: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Every wire model there is."""
    for model in root.__subclasses__():
        if model.__module__.startswith("app.schemas."):
            yield model
        yield from _models(model)


def _given_examples(model: type[BaseModel]) -> list[Any]:
    extra = model.model_config.get("json_schema_extra")
    examples = extra.get("examples") if isinstance(extra, dict) else None
    return list(examples) if isinstance(examples, list) else []


def _operations(paths: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in paths.values():
        yield from (operation for method, operation in item.items() if method in _METHODS)


def _summarised(operation: dict[str, Any]) -> None:
    """The first sentence of the docstring is the summary."""
    operation["summary"] = operation["description"].replace("\n", " ").partition(". ")[0].rstrip(".")


def _without_frameworks_errors(operation: dict[str, Any]) -> None:
    """FastAPI adds its own 422 wherever there are parameters; ours are problems, and a wrong parameter is a 400."""
    if "application/json" in operation["responses"].get("422", {}).get("content", {}):
        del operation["responses"]["422"]


def _with_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Give every JSON body the example of its model."""
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for media in (media for body in bodies for name, media in body.get("content", {}).items() if name == "application/json"):
        if "example" not in media and "examples" not in media and (found := _example(media.get("schema", {}), schemas)) is not None:
            media["example"] = found


def _example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    for option in (schema, *schema.get("anyOf", ())):
        model = schemas.get(option.get("$ref", "").rpartition("/")[2])
        if model is None:
            continue
        if model.get("examples"):
            return model["examples"][0]
        row = _example(model.get("properties", {}).get("items", {}).get("items", {}), schemas)
        if row is not None:
            return {"items": [row], "next_cursor": None, "has_more": False}
    return None
