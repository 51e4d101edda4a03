"""Secrets stay outside the document: `${env:NAME}` and `${file:PATH}` stand for them, anywhere inside a text.

They are replaced only in memory, in channels, sources and delivery; what is stored keeps the placeholders. `$${` is a plain `${`.
A file is read as UTF-8, one trailing line break is dropped; a relative path starts at the folder of the document.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from app.config.files import FileTrouble, read_text
from app.config.findings import shown
from app.config.nodes import Path as NodePath

HIDDEN: Final = "***"
FILE_MAX: Final = 65_536  # bytes of a file with a secret

_SECRET_MIN: Final = 4  # characters
_PLACEHOLDER: Final = re.compile(r"\$\$\{|\$\{([^{}]*)\}?")
_MEANT: Final = re.compile(r"(?<!\$)\$\{(env|file):")
_ENV_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Trouble(NamedTuple):
    """A placeholder that cannot be replaced. `code` is `missing-secret` or `bad-placeholder`."""

    path: NodePath
    code: str
    message: str


class Resolved(NamedTuple):
    """A value with its placeholders replaced."""

    value: Any
    troubles: tuple[Trouble, ...]
    secrets: frozenset[str]
    """What was put in: it must not appear in any message."""


class SecretMissing(Exception):
    """A placeholder that cannot be replaced; the message never holds a secret."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Resolver:
    """Replaces placeholders by what an environment and the files beside the document say. Remembers no file."""

    def __init__(self, environ: Mapping[str, str], base: Path) -> None:
        self._environ = environ
        self._base = base

    def resolve(self, value: Any, path: NodePath = ()) -> Resolved:
        """The value with every placeholder in every text in it replaced. `path` is where the value stands in the document.

        A text whose placeholder has no value stays as it is written, and is told in `troubles`.
        """
        troubles: list[Trouble] = []
        secrets: set[str] = set()
        replaced = self._walk(value, path, troubles, secrets)
        return Resolved(replaced, tuple(troubles), frozenset(secret for secret in secrets if secret))

    def _walk(self, value: Any, path: NodePath, troubles: list[Trouble], secrets: set[str]) -> Any:
        if isinstance(value, dict):
            return {key: self._walk(item, (*path, key), troubles, secrets) for key, item in value.items()}
        if isinstance(value, list):
            return [self._walk(item, (*path, index), troubles, secrets) for index, item in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        try:
            return _PLACEHOLDER.sub(lambda found: self._found(found, secrets), value)
        except SecretMissing as missing:
            troubles.append(Trouble(path, missing.code, str(missing)))
            return value

    def _found(self, found: re.Match[str], secrets: set[str]) -> str:
        if found[0] == "$${":
            return "${"
        secret = self._looked_up(found)
        secrets.add(secret)
        return secret

    def _looked_up(self, found: re.Match[str]) -> str:
        kind, colon, name = (found[1] or "").partition(":")
        if not found[0].endswith("}") or not colon or kind not in ("env", "file") or not name:
            raise SecretMissing("bad-placeholder", "a placeholder is ${env:NAME} or ${file:PATH}; a plain ${ is written $${")
        return self._from_environment(name) if kind == "env" else self._from_file(name)

    def _from_environment(self, name: str) -> str:
        if not _ENV_NAME.fullmatch(name):
            raise SecretMissing("bad-placeholder", f"{shown(name)} cannot be the name of an environment variable")
        value = self._environ.get(name)
        if not value:
            state = "not set" if value is None else "empty"
            raise SecretMissing("missing-secret", f"the environment variable {shown(name)} is {state}")
        return value

    def _from_file(self, name: str) -> str:
        try:
            text = read_text(self._base, name, FILE_MAX).removesuffix("\n").removesuffix("\r")
        except FileTrouble as trouble:
            raise SecretMissing("missing-secret", str(trouble)) from None
        if not text:
            raise SecretMissing("missing-secret", f"the file {shown(name)} is empty")
        return text


def placeholders(value: Any, path: NodePath = ()) -> Iterator[NodePath]:
    """The paths of all texts in the value that hold `${env:...}` or `${file:...}`."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from placeholders(item, (*path, key))
    elif isinstance(value, str) and _MEANT.search(value):
        yield path


def hidden(text: str, secrets: frozenset[str]) -> str:
    """The text with every secret in it replaced by stars. What has less than four characters is none, and would only garble the text."""
    for secret in sorted((secret for secret in secrets if len(secret) >= _SECRET_MIN), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text
