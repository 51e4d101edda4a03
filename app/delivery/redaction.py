"""URLs as they may be logged, stored and shown: without credentials, without query and, unless asked for, without the path."""

from functools import lru_cache
from urllib.parse import urlsplit

_TAIL = 4  # characters of a secret path that are shown, so that two channels can be told apart


@lru_cache(maxsize=1024)
def redact(url: str, *, show_path: bool = False) -> str:
    """`https://host/...WXYZ` of a URL: many a webhook's path is its credential. With `show_path`, `https://host/path?...`.

    What is no URL becomes `(unreadable URL)`: nothing of it is shown.
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port is not None else ""
        host = parts.hostname
    except ValueError:
        return "(unreadable URL)"
    if not host or not parts.scheme:
        return "(unreadable URL)"
    where = f"{parts.scheme}://[{host}]{port}" if ":" in host else f"{parts.scheme}://{host}{port}"
    if show_path:
        return where + parts.path + ("?..." if parts.query else "")
    return f"{where}/...{_tail(parts.path)}"


def _tail(path: str) -> str:
    """The last characters of a path long enough to keep the rest secret."""
    return path[-_TAIL:] if len(path) > 4 * _TAIL else ""
