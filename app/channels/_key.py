"""A key as vendors give it out: one word of printable ASCII, so that it fits a header and a blank pasted with it is noticed."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, SecretStr

_WORD: Final = re.compile(r"[!-~]{1,512}")


def _one_word(key: SecretStr) -> SecretStr:
    if not _WORD.fullmatch(key.get_secret_value()):
        raise ValueError("a key is one word of printable ASCII without blanks")
    return key


Key = Annotated[SecretStr, AfterValidator(_one_word)]
"""A secret of 1 to 512 printable ASCII characters without blanks."""
