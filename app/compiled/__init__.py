"""The compiled engine: `app.rules` as machine code, where it has been compiled (`python -m app.compiled`).

The same sources, about three times as quick. What was compiled is used only while it was made from the very sources that lie here, so
an edited rule is never answered by what it was before: then, and where nothing was compiled, the sources themselves run. With
`SLAWATCH_COMPILED=0` they always do. Whatever runs, verdicts are the same.
"""

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
"""The folder of the package `app`."""
MODULES: Final = Path(__file__).resolve().parent / "modules"
"""Where the compiled modules lie: `app.rules.track.cpython-311-x86_64-linux-gnu.so`, and the digest of what they were made from."""
DIGEST: Final = "digest"
SUFFIX: Final = EXTENSION_SUFFIXES[0]
"""Of a module compiled for just this interpreter and machine."""
_OFF: Final = frozenset({"0", "false", "no", "off"})


def sources() -> dict[str, Path]:
    """The modules that are compiled, by name, and their sources. A package itself is not: it has to know where its modules lie."""
    paths = [path for path in sorted((ROOT / "rules").rglob("*.py")) if path.name != "__init__.py"]
    return {".".join(path.relative_to(ROOT.parent).with_suffix("").parts): path for path in paths}


def digest() -> str:
    """Of the sources as they are now; it changes with any of them."""
    total = hashlib.sha256()
    for name, path in sources().items():
        total.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


class Compiled(MetaPathFinder):
    """Finds compiled modules by their names, before anything else looks for their sources."""

    def __init__(self, modules: Mapping[str, Path]) -> None:
        self._modules = modules

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:  # noqa: ARG002
        file = self._modules.get(fullname)
        return None if file is None else spec_from_file_location(fullname, file)


def use() -> bool:
    """Let what was compiled be imported from now on; False: there is nothing, or nothing of these sources, or it is not wanted."""
    if os.environ.get("SLAWATCH_COMPILED", "1").lower() in _OFF or not (MODULES / DIGEST).is_file():
        return False
    if (MODULES / DIGEST).read_text(encoding="ascii") != digest():
        return False
    modules = {path.name.removesuffix(SUFFIX): path for path in MODULES.iterdir() if path.name.endswith(SUFFIX)}
    if modules.keys().isdisjoint(sources()):  # made for another interpreter
        return False
    sys.meta_path.insert(0, Compiled(modules))
    return True
