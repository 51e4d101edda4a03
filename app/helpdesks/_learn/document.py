"""A proposal as YAML with comments."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_LOOKS_LIKE_ELSE: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class Note:
    """A value with a remark beside it."""

    value: Any
    remark: str


def plain(value: Any) -> Any:
    """The same without remarks."""
    if isinstance(value, Note):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def as_yaml(value: Mapping[str, Any], indent: int = 0) -> str:
    """The document, remarks as comments behind what they are about."""
    return "".join(f"{line}\n" for line in _lines(value, " " * indent))


def _lines(value: Mapping[Any, Any], indent: str) -> Iterator[str]:
    for key, inner in value.items():
        remark = f"  # {_one_line(inner.remark)}" if isinstance(inner, Note) else ""
        inner = inner.value if isinstance(inner, Note) else inner
        name = _scalar(key)
        if isinstance(inner, Mapping) and inner:
            yield f"{indent}{name}:{remark}"
            yield from _lines(inner, indent + "  ")
        elif isinstance(inner, list) and inner and all(isinstance(item, Mapping) for item in inner):
            yield f"{indent}{name}:{remark}"
            for item in inner:
                first, *rest = list(_lines(item, indent + "    "))
                yield f"{indent}  - {first.lstrip()}"
                yield from rest
        else:
            yield f"{indent}{name}: {_scalar(inner)}{remark}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _BARE.fullmatch(value) and value.lower() not in _LOOKS_LIKE_ELSE:
        return value
    return json.dumps(value, ensure_ascii=False)
