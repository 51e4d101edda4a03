"""The README's quick start, executed line by line in a copy of the project.

The copy's virtual environment is the one that runs these tests, so nothing is installed. `make test` is not repeated: it is what runs this.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import environment
from tests.cli.test_serve import run_line

ROOT = Path(__file__).resolve().parents[1]
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "tests", "docs", "*.db*", "slawatch.yaml")
NOT_REPEATED = ("git clone ", "cd ", "make test")
SERVERS = ("make run", "slawatch serve")
SHIM = '#!/bin/sh\nexec "{python}" {arguments} "$@"\n'


def quick_start(readme: str) -> list[str]:
    """The commands of the section: the lines of its `sh` blocks, without comments, continued lines joined."""
    section = re.search(r"^## Quick start$(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL)
    assert section, "the README has a section `## Quick start`"
    blocks = re.findall(r"^```sh$\n(.*?)^```$", section[1], re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def test_the_commands_are_those_of_the_section() -> None:
    first, second = "```sh\nmake run\n# a comment\ncurl \\\n  a\n```\n", "```sh\nmake demo\n```\n"
    readme = f"# x\n\n## Quick start\n\n{first}```yaml\na: 1\n```\n\n{second}\n## Next\n\n```sh\nrm\n```\n"

    assert quick_start(readme) == ["make run", "curl    a", "make demo"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the project with a virtual environment that is already installed."""
    copy = tmp_path / "slawatch"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    programs = copy / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, arguments in (("python", ""), ("slawatch", "-m app.cli")):
        (programs / name).write_text(SHIM.format(python=sys.executable, arguments=arguments))
        (programs / name).chmod(0o755)
    (copy / ".venv" / ".installed").touch()
    return copy


@pytest.mark.timeout(240)
def test_the_quick_start_works_as_it_is_written(clone: Path) -> None:
    lines = quick_start((clone / "README.md").read_text(encoding="utf-8"))
    environ = {name: value for name, value in environment().items() if not name.startswith(("SLAWATCH_", "MAKE"))}
    environ |= {"SLAWATCH_PORT": str(free_port()), "PATH": f"{clone / '.venv/bin'}:{os.environ['PATH']}"}
    said: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        for line in lines:
            if line.startswith(SERVERS):
                printed = stack.enter_context(serving(line, clone, environ))
                said[line] = "\n".join(printed)
                answers = [run_line(each) for each in printed if each.startswith("curl ")]
                assert len(answers) == 3
                assert answers[2]["items"], "the printed lines end in a breach"
            elif not line.startswith(NOT_REPEATED):
                done = subprocess.run(["sh", "-ec", line], cwd=clone, env=environ, capture_output=True, text=True, timeout=180)
                assert done.returncode == 0, (line, done.stdout[-3000:], done.stderr[-3000:])
                said[line] = done.stdout

    assert {"make run", "make demo", "make test"} <= set(lines)
    assert "every callback is verified" in said["make demo"]


@contextlib.contextmanager
def serving(line: str, folder: Path, environ: dict[str, str]) -> Iterator[list[str]]:
    """A line that serves until it is stopped; what it prints until it listens."""
    process = subprocess.Popen(
        ["sh", "-ec", line], cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )
    assert process.stdout
    try:
        printed: list[str] = []
        for told in process.stdout:
            printed.append(told.rstrip("\n"))
            if "listens on" in told:
                break
        assert process.poll() is None, printed
        yield printed
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
