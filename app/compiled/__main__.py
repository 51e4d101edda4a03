"""`python -m app.compiled`: compile the engine, in half a minute. Needs mypyc (part of mypy), setuptools and a C compiler."""

import contextlib
import io
import os
import shlex
import shutil
import sys
import sysconfig
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from app.compiled import DIGEST, MODULES, ROOT, SUFFIX, digest, sources

_FLAGS: Final = ("-w", "-g0")
"""C that was generated deserves no warnings, and nobody steps through it. (More than `-O1` takes long and gives nothing.)"""


def main() -> int:
    """Compile unless it has been done. 0: it is compiled, or cannot be for want of a C compiler, which a line tells; 1: it failed."""
    made_from, now = MODULES / DIGEST, digest()
    if made_from.is_file() and made_from.read_text(encoding="ascii") == now and any(MODULES.glob(f"*{SUFFIX}")):
        made_from.touch()
        return 0
    if (why := _cannot()) is not None:
        print(f"{why}: the engine stays interpreted, a third as quick.", file=sys.stderr)
        return 0
    with TemporaryDirectory() as place:
        built = _build(Path(place))
        shutil.rmtree(MODULES, ignore_errors=True)
        MODULES.mkdir()
        for name, path in built.items():
            shutil.copyfile(path, MODULES / f"{name}{SUFFIX}")
        made_from.write_text(now, encoding="ascii")  # last: until then nobody uses any of it
    return 0


def _cannot() -> str | None:
    """Why nothing can be compiled here; None: it can."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        return f"There is no C compiler ({compiler})"
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        return "Python's headers are not installed (Python.h)"
    return None


def _build(place: Path) -> dict[str, Path]:
    """The compiled modules by name, made in an empty folder."""
    from mypyc.build import mypycify
    from setuptools import Distribution

    os.chdir(ROOT.parent)
    paths = [str(path.relative_to(ROOT.parent)) for path in sources().values()]
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            extensions = mypycify(
                ["--config-file=", f"--cache-dir={place / 'mypy'}", *paths],
                separate=_halves(paths),
                target_dir=str(place / "c"),
                opt_level="1",
            )
    except SystemExit:
        print(said.getvalue(), file=sys.stderr)
        raise
    for extension in extensions:
        extension.extra_compile_args += list(_FLAGS)
    distribution = Distribution({"name": "slawatch-engine", "ext_modules": extensions})
    command = distribution.get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(place / "lib"), str(place / "temp")
    command.parallel = 2
    command.ensure_finalized()
    command.run()
    found = {path.relative_to(place / "lib"): path for path in (place / "lib").rglob(f"*{SUFFIX}")}
    return {".".join(file.parts).removesuffix(SUFFIX): path for file, path in found.items()}


def _halves(paths: Sequence[str]) -> list[tuple[list[str], str | None]]:
    """In two parts of about the same size, so that two cores compile."""
    sizes = list(accumulate(Path(path).stat().st_size for path in paths))
    middle = bisect_left(sizes, sizes[-1] / 2)
    return [(list(paths[:middle]), "slawatch_1"), (list(paths[middle:]), "slawatch_2")]


if __name__ == "__main__":
    sys.exit(main())
