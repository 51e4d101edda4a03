"""Each delivery in `golden/` is read as its file says."""

from pathlib import Path

import pytest

from app.helpdesks import kinds
from tests.helpdesks.deliveries import golden, golden_files, read, shown, source

FILES = [(kind, file) for kind in kinds() for file in golden_files(kind)]


@pytest.mark.parametrize(("kind", "file"), FILES, ids=[f"{kind}-{file.stem}" for kind, file in FILES])
def test_a_delivery_is_read_as_its_golden_file_says(kind: str, file: Path) -> None:
    case = golden(file)

    reading = read(source(kind, **case["config"]), case["body"], case["headers"])

    assert shown(reading) == case["expect"]


@pytest.mark.parametrize(("kind", "file"), FILES, ids=[f"{kind}-{file.stem}" for kind, file in FILES])
def test_reading_a_delivery_twice_gives_the_same_events(kind: str, file: Path) -> None:
    case = golden(file)
    config = source(kind, **case["config"])

    assert read(config, case["body"], case["headers"]) == read(config, case["body"], case["headers"])
