"""The benchmarks can be run and say what they measured in one shape. (What they come to is measured by hand: docs/performance.md.)"""

import asyncio
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main, names
from benchmarks._kit import slow_disk
from benchmarks._kit.load import Load, request, run

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


@pytest.mark.parametrize("name", names())
def test_each_benchmark_says_what_it_measures_and_is_on_the_page(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{name}")

    assert module.__doc__
    assert set(inspect.signature(module.run).parameters) <= {"quick", "db"}
    assert f"`{name}`" in PAGE.read_text()


def test_the_page_names_no_benchmark_that_is_not_there() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)) == set(names())


def test_a_report_as_json_has_a_row_for_each_case(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["evaluate", "--quick", "--json"])
    report = json.loads(capsys.readouterr().out)

    assert exit_code in (0, 1)
    assert report["name"] == "evaluate"
    assert all(set(row) == {"case", "value", "unit", "anchor", "ratio", "goal", "met"} for row in report["rows"])
    assert exit_code == int(any(row["met"] is False for row in report["rows"]))


@pytest.mark.skipif(not slow_disk.possible(), reason="no C compiler to put the delay between the process and the C library")
def test_a_slower_disk_takes_a_millisecond_more_for_each_fsync_and_only_while_it_is_one(tmp_path: Path) -> None:
    code = (
        "import os, time; f = os.open('file', os.O_RDWR | os.O_CREAT); os.write(f, b'x'); began = time.perf_counter()\n"
        "for _ in range(50): os.fsync(f); os.fdatasync(f)\n"
        "print(time.perf_counter() - began)"
    )

    def seconds() -> float:
        return float(subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True).stdout)

    with slow_disk.slow_disk():
        slow = min(seconds() for _ in range(2))

    assert slow >= 0.1
    assert "LD_PRELOAD" not in os.environ


async def test_the_first_answers_are_warm_up_whichever_requests_they_belong_to() -> None:
    raw = request("127.0.0.1", "/", {}, b"x")
    served = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        while await reader.read(4096):
            served += 1
            await asyncio.sleep(0.3 if served == 1 else 0.01)
            writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        measured = await run(Load("127.0.0.1", port, [raw] * 40, 4, warm_up=4))

    assert measured.statuses == {"202": 36}
    assert 36 / measured.per_second < 1
    assert measured.per_second > 30
