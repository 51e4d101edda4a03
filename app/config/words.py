"""Did you mean: the nearest of the words that would have been right."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from app.config.findings import shown

LISTED_MAX: Final = 12  # names in a sentence; of more only the number is told
_COMPARED_MAX: Final = 80  # characters; nobody misspells a word longer than that


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word most like this one, upper and lower case aside; None when none is like it at all."""
    by_fold = {name.casefold(): name for name in known}
    found = get_close_matches(word[:_COMPARED_MAX].casefold(), by_fold, n=1, cutoff=cutoff)
    return by_fold[found[0]] if found else None


def hint(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: `; did you mean gold?`, or which words there are, or nothing."""
    names = sorted(set(known))
    near = nearest(word, names)
    if near is not None:
        return f"; did you mean {shown(near)}?"
    if not names or len(names) > LISTED_MAX:
        return ""
    listed = ", ".join(map(shown, names))
    return f"; known is only {listed}" if len(names) == 1 else f"; known are {listed}"
