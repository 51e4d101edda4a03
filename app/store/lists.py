"""One engine for every list: filters, sorting, keyset pages. A resource declares a `Listing` and is done.

A page costs what its rows cost, however deep it lies: it begins where the cursor says, by index, and looks at one row more than it
returns. Rows that are inserted meanwhile neither shift nor repeat others. Where an index keeps the rows of each state by themselves, a list
of several states is put together from as many walks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Label, Select, literal, select, tuple_, union_all
from sqlalchemy.sql.elements import KeyedColumnElement

from app.errors import Fault, UnknownParameter
from app.store.cursors import Cursor, Key, Signer
from app.store.database import Connection
from app.store.filters import MAX_VALUES, Filter, nearest, refused, single

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
_SORT_VALUE: Final = "_sort"
_TIE: Final = "_tie"

Row = dict[str, Any]
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Strands:
    """An index begins with `column`, goes on with `sort` and the tie-breaker, and holds what else is filtered: rows in strands.

    `values` are all there are of the column. `left(key, values)` are those that a filter leaves, None when it says nothing of them. The
    filters of `single_out` find their few rows by other indexes: then nobody walks.
    """

    column: KeyedColumnElement[Any]
    sort: str
    values: tuple[str, ...]
    left: Callable[[str, Sequence[str]], Iterable[str] | None]
    single_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """What can be listed: the rows, their public columns, filters and sorts.

    `columns` are in the order they are shown. `sorts` are columns of the tables, so that it is known which of them may be null; rows
    without a value come last in either direction. `tie` makes the order total: unique among the rows.
    """

    name: str
    source: FromClause
    columns: Mapping[str, ColumnElement[Any]]
    filters: Mapping[str, Filter]
    sorts: Mapping[str, KeyedColumnElement[Any]]
    default_sort: str
    tie: KeyedColumnElement[Any]
    strands: Strands | None = None

    def keys(self) -> dict[str, tuple[dict[str, Any], str]]:
        """Every filter's query keys with schema and description."""
        return {key: shape for name, kind in self.filters.items() for key, shape in kind.keys(name).items()}


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a listing, checked. `at` is the moment it is about. `strands` are the walks to merge; none: one is enough."""

    where: tuple[ColumnElement[bool], ...]
    column: KeyedColumnElement[Any]
    descending: bool
    limit: int
    at: datetime
    binding: str
    after: Cursor | None = None
    strands: tuple[ColumnElement[bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in order; `next` is the place after the last one, None at the end."""

    rows: list[Row]
    next: Cursor | None


def read_ask(
    listing: Listing, pairs: Pairs, at: datetime, signer: Signer, also: Iterable[ColumnElement[bool]] = (), scope: str = ""
) -> Ask:
    """The question behind the query string `pairs`.

    UnknownParameter for a key that does not exist, InvalidRequest for a bad value, InvalidCursor and CursorMismatch for the cursor.
    `also` are conditions of the address itself (the ticket of a timeline), named by `scope` so that cursors do not wander between them.
    """
    given = _grouped(listing, pairs)
    limit = _limit(given.pop("limit", None))
    cursor = given.pop("cursor", None)
    sort = single("sort", given.pop("sort", [listing.default_sort]))
    name = sort.removeprefix("-")
    if name not in listing.sorts:
        raise refused("sort", f"cannot sort by `{name}`; there is {', '.join(listing.sorts)}{nearest(name, listing.sorts)}")
    binding = repr((listing.name, scope, sort, sorted((key, sorted(values)) for key, values in given.items())))
    after = signer.read(single("cursor", cursor), binding) if cursor is not None else None
    at = after.at if after else at
    where = tuple(_filter(listing, key).condition(key, values, at) for key, values in given.items())
    also = tuple(also)
    strands = () if also else _strands(listing, name, given)
    return Ask((*also, *where), listing.sorts[name], sort.startswith("-"), limit, at, binding, after, strands)


async def read_page(conn: Connection, listing: Listing, ask: Ask) -> Page:
    """At most `ask.limit` rows after the cursor, in the order asked for."""
    rows: list[Row] = []
    for segment in _segments(ask, listing.tie):
        statement = _select(listing, ask, segment, ask.limit + 1 - len(rows))
        rows += [dict(row) for row in (await conn.execute(statement)).mappings()]
        if len(rows) > ask.limit:
            break
    more = len(rows) > ask.limit
    del rows[ask.limit :]
    last = rows[-1] if more else None
    place = Cursor(ask.at, last[_SORT_VALUE], last[_TIE]) if last else None
    for row in rows:
        del row[_SORT_VALUE], row[_TIE]
    return Page(rows, place)


async def read_all(conn: Connection, listing: Listing) -> list[Row]:
    """Every row, in the default order: for lists that are short by nature."""
    column = listing.sorts[listing.default_sort.removeprefix("-")]
    order = column.desc() if listing.default_sort.startswith("-") else column.asc()
    statement = select(*_labels(listing)).select_from(listing.source).order_by(order)
    return [dict(row) for row in (await conn.execute(statement)).mappings()]


async def read_one(conn: Connection, listing: Listing, *where: ColumnElement[bool]) -> Row | None:
    """The one row of the listing that satisfies `where`; None when there is none."""
    statement = select(*_labels(listing)).select_from(listing.source).where(*where).limit(1)
    row = (await conn.execute(statement)).mappings().first()
    return dict(row) if row is not None else None


def _grouped(listing: Listing, pairs: Pairs) -> dict[str, list[str]]:
    known = {*listing.keys(), "limit", "cursor", "sort"}
    given: dict[str, list[str]] = {}
    for key, value in pairs:
        if key not in known:
            ranges = sorted(name for name in known if name.startswith(f"{key}["))
            hint = f"; a range is asked for with {', '.join(ranges)}" if ranges else nearest(key, known | {"format"})
            raise UnknownParameter(f"There is no parameter `{key[:100]}` here{hint}", errors=[Fault(f"/query/{key[:100]}", "is unknown")])
        given.setdefault(key, []).append(value)
        if len(given[key]) > MAX_VALUES:
            raise refused(key, f"may be given at most {MAX_VALUES} times")
    return given


def _limit(values: Sequence[str] | None) -> int:
    if values is None:
        return DEFAULT_LIMIT
    text = single("limit", values)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_LIMIT):
        raise refused("limit", f"is a whole number from 1 to {MAX_LIMIT}")
    return int(text)


def _filter(listing: Listing, key: str) -> Filter:
    return listing.filters[key.partition("[")[0]]


def _labels(listing: Listing) -> list[Label[Any]]:
    return [column.label(name) for name, column in listing.columns.items()]


def _strands(listing: Listing, sort: str, given: Mapping[str, Sequence[str]]) -> tuple[ColumnElement[bool], ...]:
    """What each walk demands of the rows; nothing where the index is of no use."""
    strands = listing.strands
    if strands is None or sort != strands.sort or not given.keys().isdisjoint(strands.single_out):
        return ()
    left = set(strands.values)
    for key, values in given.items():
        held = strands.left(key, values)
        left &= left if held is None else set(held)
    return tuple(strands.column == value for value in strands.values if value in left)


def _select(listing: Listing, ask: Ask, segment: Iterable[ColumnElement[bool]], limit: int) -> Select[Any]:
    """The first rows of a segment, with their place."""
    place = (ask.column.label(_SORT_VALUE), listing.tie.label(_TIE))
    wanted = select(*_labels(listing), *place).select_from(listing.source).order_by(*_order(ask, listing.tie)).limit(limit)
    if len(ask.strands) <= 1:
        return wanted.where(*ask.where, *segment, *ask.strands)
    near = [_walk(listing, ask, (*ask.where, *segment, strand), limit) for strand in ask.strands]
    return wanted.where(listing.tie.in_(union_all(*near)))


def _walk(listing: Listing, ask: Ask, where: Iterable[ColumnElement[bool]], limit: int) -> Select[Any]:
    """The ids of the first rows; a select in a select, because SQLite takes no limit within a union."""
    walked = select(listing.tie.label(_TIE)).where(*where).order_by(*_order(ask, listing.tie)).limit(limit).subquery()
    return select(walked.c[_TIE])


def _order(ask: Ask, tie: KeyedColumnElement[Any]) -> list[ColumnElement[Any]]:
    return [column.desc() if ask.descending else column.asc() for column in (ask.column, tie)]


def _segments(ask: Ask, tie: KeyedColumnElement[Any]) -> list[tuple[ColumnElement[bool], ...]]:
    """The rows after the cursor, as stretches that an index can walk: first those with a value, then those without."""
    after = ask.after
    if not ask.column.nullable:
        return [(_beyond(ask, tie, after.value, after.tie),) if after else ()]
    empty = ask.column.is_(None)
    if after is not None and after.value is None:
        return [(empty, _past(tie, after.tie, ask.descending))]
    valued = (ask.column.is_not(None), *((_beyond(ask, tie, after.value, after.tie),) if after else ()))
    return [valued, (empty,)]


def _beyond(ask: Ask, tie: KeyedColumnElement[Any], value: Key, tie_value: Key) -> ColumnElement[bool]:
    if ask.column is tie:
        return _past(tie, tie_value, ask.descending)
    here = tuple_(ask.column, tie)
    place = tuple_(literal(value, ask.column.type), literal(tie_value, tie.type))
    return here < place if ask.descending else here > place


def _past(column: KeyedColumnElement[Any], value: Key, descending: bool) -> ColumnElement[bool]:
    bound = literal(value, column.type)
    return column < bound if descending else column > bound
