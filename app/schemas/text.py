"""Text that can be stored and said anywhere."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def storable(text: str) -> str:
    """The text. Refused when it has a NUL or half a surrogate pair: databases and UTF-8 have no place for them."""
    if "\x00" in text:
        raise PydanticCustomError("text_nul", "contains a NUL character")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise PydanticCustomError("text_surrogate", "contains half a surrogate pair, which is no character")
    return text


def clean(text: str) -> str:
    """Safe to encode and to print: control characters and halves of surrogate pairs become the replacement character."""
    return _UNPRINTABLE.sub("\ufffd", text)


def _worded(value: Any) -> Any:
    """Many helpdesks number their things: a whole number is taken as its digits."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**40 else value


Line = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(storable)]
"""A name or a short remark: 1 to 200 characters."""

Paragraph = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(storable)]
"""A note: 1 to 2000 characters."""

Id = Annotated[str, BeforeValidator(_worded), StringConstraints(min_length=1, max_length=300), AfterValidator(storable)]
"""An id of somebody else's: 1 to 300 characters; a whole number is taken as its digits."""

ShortId = Annotated[str, BeforeValidator(_worded), StringConstraints(min_length=1, max_length=200), AfterValidator(storable)]
"""The same, at most 200 characters."""
