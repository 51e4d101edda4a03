"""JMESPath expressions of the document: compiled when the document is read, so a mistake is named there and not by the first webhook.

They are evaluated over one object `{body, headers, item, received_at}`; a name that is none of these at the top of an expression can only
be a mistake (mostly a constant without its inner quotes) and is refused, as are functions that do not exist and wrong numbers of arguments.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

import jmespath
from jmespath.exceptions import JMESPathError, LexerError, ParseError
from jmespath.functions import Functions
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from app.helpdesks._json import escaped
from app.helpdesks._words import nearest, shown

ROOTS: Final = ("body", "headers", "item", "received_at")
LENGTH_MAX: Final = 2000  # characters of one expression

_RUNTIME_ERRORS: Final = (JMESPathError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)


class Expression:
    """One compiled expression. `pointer` is the place in the body it reads, where it is a plain path; else empty."""

    __slots__ = ("_compiled", "pointer", "text")

    def __init__(self, text: str) -> None:
        """ValueError, with a sentence, when this is no expression that could ever work."""
        self.text = text
        if len(text) > LENGTH_MAX:
            raise ValueError(f"is longer than {LENGTH_MAX} characters")
        self._compiled = _compile(text)
        tree: Mapping[str, Any] = self._compiled.parsed
        for problem in _problems(tree, at_top=True):
            raise ValueError(problem)
        self.pointer = _pointer(tree)

    def __call__(self, context: Mapping[str, Any]) -> Any:
        """The value over a context; None when there is none. ValueError, with a sentence, when the evaluation fails."""
        try:
            value = self._compiled.search(context)
        except _RUNTIME_ERRORS as error:
            raise ValueError(f"cannot be evaluated: {_first_line(error)}") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("yields a number that is too large")
        return value

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    @classmethod
    def constant(cls, value: Any) -> Self:
        """The expression that always yields this JSON value."""
        return cls(f"`{json.dumps(value).replace('`', chr(92) + '`')}`")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls._read, serialization=core_schema.to_string_ser_schema())

    @classmethod
    def _read(cls, value: Any) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, str) or not value.strip():
            raise ValueError("should be a JMESPath expression")
        return cls(value)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": LENGTH_MAX, "description": "A JMESPath expression."}


def _compile(text: str) -> Any:
    try:
        return jmespath.compile(text)
    except (ParseError, LexerError) as error:
        raise ValueError(f"is no JMESPath expression at column {error.lex_position + 1}: {shown(text)}") from None
    except _RUNTIME_ERRORS:
        raise ValueError(f"is no JMESPath expression: {shown(text)}") from None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _problems(node: Mapping[str, Any], *, at_top: bool) -> Iterator[str]:
    """What can never work. `at_top` says whether the node is evaluated over our own object."""
    kind, children = node["type"], [c for c in node["children"] if isinstance(c, dict)]
    if kind == "field" and at_top and node["value"] not in ROOTS:
        yield _unknown_root(node["value"])
    if kind == "function_expression":
        yield from _function_problems(node["value"], len(children))
    for position, child in enumerate(children):
        yield from _problems(child, at_top=at_top and _sees_the_top(kind, position))


def _sees_the_top(kind: str, position: int) -> bool:
    """Whether a node's child is evaluated over what the node itself is evaluated over."""
    if kind in ("subexpression", "index_expression", "pipe", "projection", "value_projection", "filter_projection"):
        return position == 0
    return kind != "expref"


def _unknown_root(name: str) -> str:
    close = nearest(name, ROOTS, cutoff=0.7)
    if close:
        return f"{shown(name)} is not known here; did you mean '{close}'?"
    return (
        f"{shown(name)} is not known here: a path begins with {', '.join(ROOTS)}, and a constant has quotes within the quotes: \"'{name}'\""
    )


def _function_problems(name: str, given: int) -> Iterator[str]:
    known: Mapping[str, Any] = Functions.FUNCTION_TABLE
    if name not in known:
        close = nearest(name, known)
        yield f"there is no function {name}()" + (f"; did you mean {close}()?" if close else "")
        return
    signature = known[name]["signature"]
    variadic = bool(signature) and bool(signature[-1].get("variadic"))
    if given < len(signature) or (given > len(signature) and not variadic):
        yield f"{name}() takes {'at least ' if variadic else ''}{len(signature)} argument(s), not {given}"


def _pointer(node: Mapping[str, Any]) -> str:
    """`/ticket/state` for `body.ticket.state`; empty for everything that is no plain path into the body."""
    names = list(_path(node))
    plain = len(names) > 1 and names[0] == "body" and None not in names
    return "".join(f"/{escaped(str(name))}" for name in names[1:]) if plain else ""


def _path(node: Mapping[str, Any]) -> Iterator[str | int | None]:
    if node["type"] in ("subexpression", "index_expression"):
        for child in node["children"]:
            yield from _path(child)
    else:
        yield node["value"] if node["type"] in ("field", "index") else None
