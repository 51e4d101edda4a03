"""Channels and sources of the document: each read by the `Config` of its kind, with the secrets in place.

What every channel may say beside the keys of its kind (quiet hours, grouping, a fallback) are its `Manners`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, Field

from app import channels, helpdesks
from app.channels import ChannelConfig
from app.config.annotations import is_secret_at
from app.config.fields import CalendarName, ChannelName, Known, WallSeconds
from app.config.findings import Flaw, shown
from app.config.nodes import Path, Tree
from app.config.reading import read
from app.config.secrets import Resolver, hidden
from app.config.strict import Strict
from app.config.words import hint
from app.helpdesks import SourceConfig

C = TypeVar("C", bound=BaseModel)

_SECRET_MARKS: Final = ("whsec_", "whsk_")


class Quiet(Strict):
    """When a channel is not to be disturbed."""

    outside: CalendarName = Field(description="Quiet whenever this calendar is closed.")
    override: Literal["immediate"] | None = Field(default=None, description="`immediate`: steps marked so are heard all the same.")


class Group(Strict):
    """Beyond so many notices in a span, one digest is sent instead."""

    more_than: Annotated[int, Field(ge=1)]
    per: WallSeconds


class Fallback(Strict):
    """Who hears it when this channel has not accepted it in time."""

    channel: ChannelName
    after: WallSeconds


class Manners(Strict):
    """How a channel wants to be spoken to."""

    quiet: Quiet | None = None
    group: Group | None = None
    fallback: Fallback | None = None
    ordered: bool = Field(default=False, description="What is said of one ticket goes one after another: the next when the last has ended.")


@dataclass(frozen=True, slots=True)
class Adapted(Generic[C]):
    """One channel or source as read."""

    config: C | None
    flaws: tuple[Flaw, ...]
    manners: Manners = field(default_factory=Manners)


class _Registry(Protocol):
    def kinds(self) -> tuple[str, ...]: ...

    def load(self, kind: str) -> Any: ...


def read_channel(tree: Tree, name: str, resolver: Resolver, known: Known) -> Adapted[ChannelConfig]:
    """The channel of this name; its `config` is None exactly when there are flaws that are errors."""
    path: Path = ("channels", name)
    raw = tree.data["channels"][name]
    own = _own_keys(channels, raw)
    polite = {key: raw[key] for key in Manners.model_fields if key in raw and key not in own} if isinstance(raw, dict) else {}
    rest = {key: value for key, value in raw.items() if key not in polite} if isinstance(raw, dict) else raw
    manners = read(Manners, polite, tree, path, known)
    config, flaws = _config(tree, path, rest, resolver, channels)
    found = config if isinstance(config, ChannelConfig) and manners.value is not None else None
    return Adapted(found, (*flaws, *manners.flaws), manners.value or Manners())


def read_source(tree: Tree, name: str, resolver: Resolver) -> Adapted[SourceConfig]:
    """The source of this name; its `config` is None exactly when there are flaws that are errors."""
    path: Path = ("sources", name)
    config, flaws = _config(tree, path, tree.data["sources"][name], resolver, helpdesks)
    return Adapted(config if isinstance(config, SourceConfig) else None, tuple(flaws))


def model_of(registry: _Registry, raw: Any) -> type[BaseModel] | None:
    """The `Config` of what is written; None when its kind is none."""
    kind = raw.get("kind") if isinstance(raw, dict) else None
    if not isinstance(kind, str) or kind not in registry.kinds():
        return None
    model: type[BaseModel] = registry.load(kind).Config
    return model


def _own_keys(registry: _Registry, raw: Any) -> frozenset[str]:
    model = model_of(registry, raw)
    return frozenset() if model is None else frozenset(model.model_fields)


def _config(tree: Tree, path: Path, raw: Any, resolver: Resolver, registry: _Registry) -> tuple[BaseModel | None, list[Flaw]]:
    model = model_of(registry, raw)
    if model is None:
        return None, [_no_kind(tree, path, raw, registry)]
    flaws = [*_literal_secrets(tree, path, raw, model)]
    if "name" in raw:
        flaws.append(Flaw(tree.key_place((*path, "name")), "unknown-key", "there is no key name here; the name is the key of the entry"))
        return None, flaws
    resolved = resolver.resolve(raw, path)
    missing = [Flaw(tree.value_place(trouble.path), trouble.code, trouble.message) for trouble in resolved.troubles]
    found = read(model, {**resolved.value, "name": str(path[-1])}, tree, path)
    flaws += [*missing, *told(found.flaws, missing, resolved.secrets)]
    return (None if missing else found.value), flaws


def _no_kind(tree: Tree, path: Path, raw: Any, registry: _Registry) -> Flaw:
    if not isinstance(raw, dict):
        return Flaw(tree.value_place(path), "wrong-type", "a map is needed here")
    if "kind" not in raw:
        return Flaw(tree.key_place(path), "missing-key", f"the key kind is missing{hint('', registry.kinds())}")
    kind = raw["kind"]
    place = tree.value_place((*path, "kind"))
    return Flaw(place, "unknown-name", f"there is no kind {shown(kind)}{hint(str(kind), registry.kinds())}")


def told(flaws: Iterable[Flaw], missing: Iterable[Flaw], secrets: frozenset[str]) -> Iterator[Flaw]:
    """The flaws of values with secrets in them: no secret is shown, and where one is missing nothing else is said."""
    places = {flaw.place for flaw in missing}
    for flaw in flaws:
        if flaw.place not in places:
            yield flaw._replace(message=hidden(flaw.message, secrets))


def _literal_secrets(tree: Tree, path: Path, raw: dict[str, Any], model: type[BaseModel]) -> Iterator[Flaw]:
    open_address = getattr(model, "show_path", False)
    for at, text in _texts(raw):
        is_secret = is_secret_at(model, at) or text.startswith(_SECRET_MARKS)
        if at == ("url",) and open_address:
            continue
        if is_secret and text and "${" not in text:
            place = tree.value_place((*path, *at))
            yield Flaw(place, "literal-secret", "a secret stands here in plain sight; write ${env:NAME} or ${file:PATH} instead")


def _texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(item, (*path, key))
    elif isinstance(value, str):
        yield path, value
