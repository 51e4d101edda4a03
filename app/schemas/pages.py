"""One page of a list."""

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """Items in the order asked for, and how to go on."""

    items: list[T]
    next_cursor: str | None = Field(description="Give it back as `cursor`, with the same filters and sort; null: this is the last page.")
    has_more: bool
