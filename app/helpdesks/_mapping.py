"""The document's side of the generic mapping: rules that say where in a body the facts are."""

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from app.helpdesks._expressions import Expression
from app.helpdesks._words import Words, fold, priority_word, status_word
from app.rules.events import ActorKind, EventKind

FLAGS: Final = frozenset({"deleted", "assignee_is_bot"})
TIMES: Final = frozenset({"created_at"})
NAMES: Final = frozenset({"group", "assignee", "requester", "organization", "merged_into"})
"""Facts whose words nobody can list beforehand: a map of them names exceptions, other words pass."""

Constant = str | bool | int | float | None


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _map_key(key: Any) -> Any:
    """YAML reads `true:`, `null:` and `3:` as what they look like; here they are the words `true`, `null` and `3`."""
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return str(key) if isinstance(key, int | float) else key


def _map_keys(value: Any) -> Any:
    return {_map_key(key): meaning for key, meaning in value.items()} if isinstance(value, dict) else value


def _folded(value: dict[str, Any]) -> dict[str, Any]:
    return {fold(key): meaning for key, meaning in value.items()}


class Value(_Part):
    """Where a value comes from: an expression, and maybe a map of its words.

    In the document a bare expression is enough; true, false and numbers stand for themselves.
    """

    source: Expression = Field(alias="from")
    map: Annotated[dict[str, Constant], BeforeValidator(_map_keys), AfterValidator(_folded)] | None = Field(
        default=None,
        description="Word -> meaning; null as a meaning asserts nothing-ness (nobody is assigned). The words of a list are joined by `/`.",
    )
    default: Constant = Field(default=None, description="For words the map does not know; without it they are an error.")

    @property
    def has_default(self) -> bool:
        return "default" in self.model_fields_set

    def check_words(self, name: str, read: Callable[[str], str]) -> None:
        """ValueError when the map, or the default, means something `read` does not accept."""
        for meaning in [*(self.map or {}).values(), self.default]:
            try:
                if meaning is not None:
                    read(str(meaning))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None


def _as_value(value: Any) -> Any:
    if isinstance(value, str):
        return {"from": value}
    return {"from": Expression.constant(value)} if isinstance(value, bool | int | float) else value


ValueOf = Annotated[Value, BeforeValidator(_as_value, json_schema_input_type=str | bool | int | Value)]


def _as_kind(value: Any) -> Any:
    return Expression.constant(value) if isinstance(value, str) and value in set(EventKind) else value


def actor_word(value: str) -> str:
    """ValueError unless it is customer, agent, bot, system or unknown."""
    return ActorKind(fold(value)).value


ActorMap = Annotated[
    dict[str, Annotated[ActorKind, BeforeValidator(lambda v: fold(v) if isinstance(v, str) else v)]],
    BeforeValidator(_map_keys),
    AfterValidator(_folded),
]


class ActorRule(_Part):
    """Who caused the event."""

    id: Expression | None = None
    role: ValueOf | None = Field(default=None, description="A word for who it is; null means unknown.")
    map: ActorMap = Field(default_factory=dict, description="Role word -> customer, agent, bot, system or unknown.")

    @cached_property
    def words(self) -> Words:
        """The role words there are: our own, and those of `map`."""
        own = {kind.value: kind.value for kind in ActorKind}
        return Words.build("actor.map", own, {word: kind.value for word, kind in self.map.items()})

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.role is not None:
            self.role.check_words("role", actor_word)
        return self


class MessageRule(_Part):
    """What was said with the event."""

    when: Expression | None = Field(default=None, description="False or nothing: the event has no message.")
    id: Expression | None = Field(default=None, description="Counts a message told twice as one.")
    public: ValueOf = Field(description="Whether the customer can see it; has to be told.")
    author: ValueOf | None = Field(default=None, description="A role word as in `actor.role`; left out: whoever the actor is.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.author is not None:
            self.author.check_words("author", actor_word)
        return self


FactName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")]


class EventRule(_Part):
    """One kind of event within a delivery."""

    each: Expression | None = Field(default=None, description="A list: the rule is read once per element, which is `item`.")
    when: Expression | None = Field(default=None, description="False or nothing (null, '', [], {}): the rule is left out.")
    ticket: Expression
    key: Expression | None = Field(default=None, description="The event's identity; left out: a hash of what it says.")
    at: Expression | None = Field(default=None, description="When it became true; left out or null: the time of receipt.")
    order: Expression | None = Field(default=None, description="The source's own sequence, for events of one instant.")
    created: ValueOf | None = Field(default=None, description="The ticket's creation: its time, or true when this event is the creation.")
    kind: Annotated[Expression, BeforeValidator(_as_kind)] | None = Field(
        default=None, description="What people call it, such as ticket.updated; left out: told from what it says."
    )
    actor: ActorRule = ActorRule()
    set: dict[FactName, ValueOf] = Field(default_factory=dict, description="Fact -> where it is told.")
    message: MessageRule | None = None
    delivery_id: Expression | None = None
    url: Expression | None = Field(default=None, description="A link to the ticket, for people.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        readers: dict[str, Callable[[str], str]] = {"status": status_word, "priority": priority_word}
        for fact, value in self.set.items():
            if fact in readers:
                value.check_words(f"set.{fact}", readers[fact])
            elif value.has_default and value.map is None:
                raise ValueError(f"set.{fact}: `default` is for words the `map` does not know; for null write: {value.source} || 'word'")
        return self
