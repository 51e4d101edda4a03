"""What surrounds the code: lock files, container image, compose file, the entry of CI."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(read("compose.yaml"))
    return document


@pytest.mark.parametrize("lock", LOCKS, ids=lambda file: file.name)
def test_a_lock_file_pins_every_package_by_hash_and_names_no_index(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    pinned = re.findall(r"^[a-z0-9][^\n]*?==[^\n]*\\\n    --hash=sha256:", text, re.MULTILINE)

    assert pinned
    assert len(pinned) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE))
    assert not re.search(r"^[^#\n]*(index-url|find-links)|://", text, re.MULTILINE)


def test_the_lock_files_hold_what_the_project_asks_for(project: dict[str, Any]) -> None:
    def names(requirements: list[str]) -> set[str]:
        found = {re.match(r"[A-Za-z0-9._-]+", each) for each in requirements}
        return {re.sub(r"[-_.]+", "-", match[0].lower()) for match in found if match} - {"slawatch"}

    asked = project["project"]["dependencies"]
    extras = project["project"]["optional-dependencies"]
    pins = {lock.stem: set(re.findall(r"^\S+==\S+", lock.read_text(encoding="utf-8"), re.MULTILINE)) for lock in LOCKS}
    locked = {lock.stem: names(re.findall(r"^\S+==", lock.read_text(encoding="utf-8"), re.MULTILINE)) for lock in LOCKS}

    assert names(asked + extras["demo"]) <= locked["run"]
    assert locked["run"] | names(extras["dev"]) <= locked["dev"]
    assert names(project["build-system"]["requires"]) | {"mypy"} == names(read("requirements/build.in").splitlines()[1:]) <= locked["build"]
    assert pins["build"] <= pins["dev"] | {pin for pin in pins["build"] if pin.startswith("setuptools==")}


def test_every_stage_but_the_first_is_small_and_the_last_is_not_root() -> None:
    stages = re.split(r"^FROM ", read("Dockerfile"), flags=re.MULTILINE)[1:]
    last = stages[-1]

    assert len(stages) == 2
    assert re.match(r"python:3\.\d+\b", stages[0])
    assert re.match(r"python:3\.\d+-slim\b", last)
    assert "--require-hashes" in stages[0]
    assert "pip install" not in last
    assert re.findall(r"^USER (.*)", last, re.MULTILINE) == ["10001:10001"]
    assert last.index("\nUSER ") < last.index("\nENTRYPOINT ")


def test_the_image_is_checked_starts_the_service_and_holds_no_secret() -> None:
    text = read("Dockerfile")

    assert "/healthz" in text.partition("\nHEALTHCHECK ")[2]
    assert 'ENTRYPOINT ["slawatch"]\nCMD ["serve"]\n' in text
    assert not re.search(r"^(ARG|ENV)?.*(PASSWORD|SECRET|TOKEN|KEY)\b", text, re.MULTILINE)


def test_the_image_is_built_from_nothing_but_what_it_needs() -> None:
    copied = set(re.findall(r"^COPY (?!--from)(.*) \S+$", read("Dockerfile"), re.MULTILINE))
    sources = {source.partition("/")[0] for line in copied for source in line.split()}
    let_in = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}

    assert sources == let_in


def test_compose_runs_api_and_worker_beside_postgresql_and_checks_each(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert {name: service.get("command") for name, service in services.items()} == {
        "database": None,
        "api": ["serve", "--role", "api"],
        "worker": ["serve", "--role", "worker"],
    }
    assert all(service["healthcheck"]["test"][0] == "CMD" for service in services.values())
    assert all(services[name]["depends_on"]["database"]["condition"] == "service_healthy" for name in ("api", "worker"))


def test_compose_asks_for_its_secrets_and_opens_no_port_to_the_world(compose: dict[str, Any]) -> None:
    words = [(key, str(value)) for service in compose["services"].values() for key, value in service["environment"].items()]
    secrets = [value for key, value in words if re.search(r"PASSWORD|KEY|DATABASE_URL", key)]

    assert len(secrets) == 5
    assert all(re.search(r"\$\{\w+:\?[^}]+\}", value) for value in secrets)
    assert all(port.startswith("127.0.0.1:") for service in compose["services"].values() for port in service.get("ports", []))


def test_compose_gives_our_processes_no_privilege(compose: dict[str, Any]) -> None:
    for name in ("api", "worker"):
        service = compose["services"][name]

        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_ci_is_make_test_and_nothing_else() -> None:
    script = ROOT / ".ci/run"

    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in read(".ci/run")
    assert read(".ci/run").rstrip().endswith("exec make test </dev/null")


def test_the_licence_is_whole() -> None:
    text = read("LICENSE")

    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
