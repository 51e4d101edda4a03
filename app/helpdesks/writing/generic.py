"""Any helpdesk with an HTTP API: the document says which requests to make. Words in braces stand for what is wanted.

    url: "https://desk.example.com/api/tickets/{ticket}/labels"
    json: {name: "{tag}"}

`{ticket} {tag} {tags} {priority} {note} {group} {assignee} {marker}`. A text that is nothing but `{tags}` becomes the list. The ticket
cannot be read first, so only requests that may be repeated belong here, and a note may be written twice if an answer is lost.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, SecretStr, StringConstraints, model_validator

from app.exchange import HttpRequest
from app.guard import check_header, check_url
from app.helpdesks.writing import Action, Calls, Desk, Order, WriteBackConfig
from app.helpdesks.writing._calls import ask, request, segment

_WORD: Final = re.compile(r"\{([a-z]+)\}")
_KNOWN: Final = ("ticket", "tag", "tags", "priority", "note", "group", "assignee", "marker")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _known(value: Any) -> Any:
    for text in _texts(value):
        for word in _WORD.findall(text):
            if word not in _KNOWN:
                raise ValueError(f"{{{word}}} stands for nothing here; known are {', '.join(_KNOWN)}")
    return value


def _url(text: str) -> str:
    check_url(_WORD.sub("x", _known(text)))  # Blocked is a ValueError
    return text


class Call(BaseModel):
    """One request, made when what it is for is wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    what: Action = Field(description="For which part: tags, priority, note, group or assignee.")
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    url: Annotated[str, AfterValidator(_url)] = Field(description="Words in braces are put in, percent-encoded.")
    headers: dict[Annotated[str, StringConstraints(to_lower=True)], SecretStr] = Field(default_factory=dict)
    json_body: Annotated[JsonValue, AfterValidator(_known)] = Field(default=None, alias="json", description="The body.")

    @model_validator(mode="after")
    def _has_fit_headers(self) -> Self:
        for name, value in self.headers.items():
            check_header(name, value.get_secret_value())
        return self

    @property
    def is_per_tag(self) -> bool:
        """Whether it is made for each tag by itself."""
        return "{tag}" in self.url or any("{tag}" in text for text in _texts(self.json_body))


class Config(WriteBackConfig):
    """How breaches are marked in a helpdesk of any kind."""

    published_per_minute: ClassVar[float] = 60
    show_path: ClassVar[bool] = False

    requests: list[Call] = Field(min_length=1, max_length=20, description="What to do, in this order.")

    @property
    def actions(self) -> frozenset[Action]:
        return frozenset(call.what for call in self.requests)


def write(order: Order, desk: Desk) -> Calls[None]:
    """Make the requests whose part is wanted, one after another."""
    priority = desk.raised(order, order.known_priority)
    values: dict[str, Any] = {
        "ticket": order.ticket, "tags": list(order.tags), "priority": priority, "note": order.note,
        "group": desk.group(order), "assignee": desk.assignee(order), "marker": order.marker,
    }  # fmt: skip
    for call in desk.config.requests:
        if values[call.what]:
            for tag in order.tags if call.is_per_tag else (None,):
                yield from ask(_request(call, {**values, "tag": tag}))


def _request(call: Call, values: Mapping[str, Any]) -> HttpRequest:
    url = _WORD.sub(lambda found: segment(_text(values[found[1]])), call.url)
    headers = {name: value.get_secret_value() for name, value in call.headers.items()}
    return request(call.method, url, headers, _filled(call.json_body, values))


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if not isinstance(value, str):
        return value
    alone = _WORD.fullmatch(value)
    return values[alone[1]] if alone is not None else _WORD.sub(lambda found: _text(values[found[1]]), value)


def _text(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else "" if value is None else str(value)
