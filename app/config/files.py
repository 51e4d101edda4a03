"""Files that the document names: secrets and iCalendar files. Read whole, up to a bound."""

from pathlib import Path

from app.config.findings import shown


class FileTrouble(Exception):
    """The file cannot be used; the message is half a sentence and never quotes what is in it."""


def read_file(base: Path, name: str, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes; a relative name starts at `base`. Raises FileTrouble."""
    try:
        file = base / name
        if not file.is_file():
            raise FileTrouble(f"there is no file {shown(name)}")
        with file.open("rb") as stream:
            data = stream.read(limit + 1)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        raise FileTrouble(f"the file {shown(name)} cannot be read") from None
    if len(data) > limit:
        raise FileTrouble(f"the file {shown(name)} is larger than {limit // 1024} KiB")
    return data


def read_text(base: Path, name: str, limit: int) -> str:
    """The same as UTF-8 text. Raises FileTrouble."""
    try:
        return read_file(base, name, limit).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileTrouble(f"the file {shown(name)} is no UTF-8 text") from None
