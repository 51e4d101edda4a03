"""One part of the document through one model: the value, or what is wrong with it."""

from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from app.config.fields import Known
from app.config.findings import Flaw
from app.config.nodes import Path, Tree
from app.config.refusals import flaws_of, misread_numbers

M = TypeVar("M", bound=BaseModel)


class Read(NamedTuple, Generic[M]):
    """A part as read. `value` is None exactly when there are flaws."""

    value: M | None
    flaws: tuple[Flaw, ...]


def read(model: type[M], raw: Any, tree: Tree, path: Path, known: Known | None = None) -> Read[M]:
    """`raw`, which stands at `path` of the tree, as the model's value. A number where a text is wanted is read as it is written."""
    try:
        return Read(model.model_validate(raw, context=known), ())
    except ValidationError as error:
        numbers = misread_numbers(error, tree, path)
        if not numbers:
            return Read(None, tuple(flaws_of(error, tree, path, model)))
    for loc, text in numbers:
        raw = _replaced(raw, loc, text)
    try:
        return Read(model.model_validate(raw, context=known), ())
    except ValidationError as error:
        return Read(None, tuple(flaws_of(error, tree, path, model)))


def _replaced(value: Any, loc: Path, text: str) -> Any:
    """A copy of the value with a text in this place; steps that lead nowhere are labels of unions, or stand for a list of one."""
    if not loc:
        return text
    step, rest = loc[0], loc[1:]
    if isinstance(value, dict) and step in value:
        return {**value, step: _replaced(value[step], rest, text)}
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return [*value[:step], _replaced(value[step], rest, text), *value[step + 1 :]]
    return _replaced(value, rest, text)
