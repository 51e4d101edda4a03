"""The document's JSON Schema, for editors: completion, hover texts and red lines while typing.

It says no more than `check` does, and less: names that refer to each other, hours, conditions are judged by `check` alone.
"""

from collections.abc import Iterator
from typing import Any, Final, Protocol

from pydantic import AliasChoices, BaseModel

from app import channels, helpdesks
from app.config.adapters import Manners
from app.config.schema import Document
from app.config.sections import SLUG

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


class _Registry(Protocol):
    def kinds(self) -> tuple[str, ...]: ...

    def load(self, kind: str) -> Any: ...


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of the whole document, with the keys of every kind of channel and source."""
    schema = Document.model_json_schema()
    shared = _parts_of(Manners.model_json_schema(), "manners", schema)["properties"]
    schema["properties"]["channels"] = _entries(channels, "channel", schema, shared)
    schema["properties"]["sources"] = _entries(helpdesks, "source", schema, {})
    _allow_nothing(schema)
    return {"$schema": DRAFT, **schema, "title": "slawatch configuration"}


def _allow_nothing(schema: dict[str, Any]) -> None:
    """A section may be empty: all of it behind #."""
    for section in schema["properties"].values():
        if "anyOf" in section:  # the alternative is null
            section |= section.pop("anyOf")[0]
        found = schema["$defs"][section["$ref"].removeprefix("#/$defs/")] if "$ref" in section else section
        if isinstance(found.get("type"), str):
            found["type"] = [found["type"], "null"]


def _entries(registry: _Registry, word: str, schema: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """A map of names to entries; the kind of an entry decides which keys it has."""
    branches = []
    for kind in registry.kinds():
        entry = _entry(registry.load(kind).Config, kind, f"{word}-{kind}", schema)
        entry["properties"] = shared | entry["properties"]
        schema["$defs"][f"{word}-{kind}"] = entry
        branches.append({"if": {"properties": {"kind": {"const": kind}}}, "then": {"$ref": f"#/$defs/{word}-{kind}"}})
    entry = {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": list(registry.kinds())}}, "allOf": branches}
    return {"type": "object", "propertyNames": {"pattern": SLUG}, "additionalProperties": entry}


def _entry(model: type[BaseModel], kind: str, prefix: str, schema: dict[str, Any]) -> dict[str, Any]:
    entry = _parts_of(model.model_json_schema(), prefix, schema)
    properties = entry["properties"]
    properties.pop("name", None)  # the loader sets it
    properties["kind"] = {"const": kind, "description": (model.__doc__ or "").strip()}
    required = set(entry.get("required", [])) | {"kind"}
    for first, others in _spellings(model):
        properties |= dict.fromkeys((first, *others), _one_or_more(properties[first]))
        required.discard(first)
    return entry | {"required": sorted(required)}


def _spellings(model: type[BaseModel]) -> Iterator[tuple[str, list[str]]]:
    """Keys that may be written in more than one way: the one the schema has, and the others."""
    for info in model.model_fields.values():
        if isinstance(info.validation_alias, AliasChoices):
            names = [name for name in info.validation_alias.choices if isinstance(name, str)]
            yield names[0], names[1:]


def _one_or_more(schema: dict[str, Any]) -> dict[str, Any]:
    """Of a list that may be written in the singular, one thing stands for a list of one."""
    return {"anyOf": [schema["items"], schema]} if schema.get("type") == "array" else schema


def _parts_of(model_schema: dict[str, Any], prefix: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The model's schema, with its definitions moved to the document's under a prefix."""
    definitions = model_schema.pop("$defs", {})
    renamed = {f"#/$defs/{name}": f"#/$defs/{prefix}.{name}" for name in definitions}
    for name, definition in definitions.items():
        schema["$defs"][f"{prefix}.{name}"] = _with_references(definition, renamed)
    moved: dict[str, Any] = _with_references(model_schema, renamed)
    return moved


def _with_references(value: Any, renamed: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: renamed.get(item, item) if key == "$ref" and isinstance(item, str) else _with_references(item, renamed)
            for key, item in value.items()
        }
    return [_with_references(item, renamed) for item in value] if isinstance(value, list) else value
