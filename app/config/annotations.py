"""Looking into pydantic models: which keys a place may have, and whether a place is meant for a secret.

Validation errors say where (`loc`), but not what would have been right there; and in unions a `loc` holds labels that are no part of
the document. Both are settled here by walking the types.
"""

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo

_UNIONS = (Union, types.UnionType)
_CONTAINERS = (list, tuple, set, frozenset)


def keys_at(annotation: Any, loc: Sequence[str | int]) -> set[str]:
    """The keys that a map at this place may have; empty where it is no model."""
    return {key for model in _models(annotation, loc) for key, _ in _fields(model)}


def is_secret_at(annotation: Any, path: Sequence[str | int]) -> bool:
    """Whether a text at this place is read as a secret."""
    return any(_holds_secret(found) for found in _types(annotation, path))


def _models(annotation: Any, loc: Sequence[str | int]) -> Iterator[type[BaseModel]]:
    for found in _types(annotation, loc):
        for member in _members(found):
            if isinstance(member, type) and issubclass(member, BaseModel):
                yield member


def _types(annotation: Any, loc: Sequence[str | int]) -> Iterator[Any]:
    """The types that may stand at the place; steps that are labels of a union are passed over."""
    if not loc:
        yield annotation
        return
    step, rest = loc[0], loc[1:]
    for member in _members(annotation):
        origin, args = get_origin(member), get_args(member)
        if isinstance(member, type) and issubclass(member, BaseModel):
            inner = dict(_fields(member)).get(str(step))
            yield from _types(member, rest) if inner is None else _types(inner, rest)
        elif origin is dict and len(args) == 2:
            yield from _types(args[1], rest)
        elif origin in _CONTAINERS and args:
            yield from _types(args[0], rest) if isinstance(step, int) else _types(member, rest)


def _members(annotation: Any) -> Iterator[Any]:
    """The type without Annotated, and the members of a union one by one."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in _UNIONS:
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Every key of a model with its type; what the loader sets itself (`name`) is none."""
    for name, info in model.model_fields.items():
        if not info.exclude:
            for key in _keys(name, info):
                yield key, info.annotation


def _keys(name: str, info: FieldInfo) -> list[str]:
    alias = info.validation_alias
    if isinstance(alias, AliasChoices):
        return [choice for choice in alias.choices if isinstance(choice, str)]
    return [alias if isinstance(alias, str) else name]


def _holds_secret(annotation: Any) -> bool:
    """Whether a text here may become a secret: `SecretStr`, or a list of them that a single text may stand for."""
    return any(
        member is SecretStr or (get_origin(member) in _CONTAINERS and any(map(_holds_secret, get_args(member))))
        for member in _members(annotation)
    )
