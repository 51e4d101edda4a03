"""The examples under `deploy/`: valid by what is published about their formats, and true to the service."""

import configparser
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from app import signing
from app.config.check import check
from app.settings import Settings
from app.telemetry import metrics

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
KUBERNETES = "1.31"
"""The oldest version the manifests are for: since then a container may sleep before it stops."""


def documents(file: Path) -> list[dict[str, Any]]:
    return list(YAML(typ="safe").load_all(file.read_text(encoding="utf-8")))


def manifests(kind: str) -> dict[str, dict[str, Any]]:
    """All of a kind, by name."""
    return {each["metadata"]["name"]: each for file in MANIFESTS for each in documents(file) if each["kind"] == kind and "metadata" in each}


def settings_of(names: Iterator[str] | list[str]) -> set[str]:
    """Fields of the settings, from names of the environment."""
    return {name.removeprefix("SLAWATCH_").removesuffix("_FILE").lower() for name in names if name.startswith("SLAWATCH_")}


@pytest.mark.parametrize("file", [file for file in MANIFESTS if file.name != "kustomization.yaml"], ids=lambda file: file.name)
def test_a_manifest_is_valid_by_kubernetes_own_schemas_and_has_no_unknown_field(file: Path) -> None:
    validated = [kubernetes_validate.validate(each, KUBERNETES, strict=True) for each in documents(file)]

    assert validated
    assert set(validated) == {KUBERNETES}


def test_the_kustomization_names_every_manifest() -> None:
    [kustomization] = documents(DEPLOY / "kubernetes" / "kustomization.yaml")

    assert set(kustomization["resources"]) == {file.name for file in MANIFESTS} - {"kustomization.yaml"}


@pytest.mark.parametrize("role", ["api", "worker"])
def test_pods_have_no_privilege_are_probed_as_meant_and_have_time_to_end(role: str) -> None:
    deployment = manifests("Deployment")[f"slawatch-{role}"]
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    budget = manifests("PodDisruptionBudget")[f"slawatch-{role}"]

    assert container["args"] == ["serve", "--role", role]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == container["startupProbe"]["httpGet"]["path"] == "/healthz"
    assert pod["terminationGracePeriodSeconds"] >= {"api": 5 + 15, "worker": 40}[role]
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_the_service_and_the_autoscaler_mean_the_api() -> None:
    labels = manifests("Deployment")["slawatch-api"]["spec"]["template"]["metadata"]["labels"]
    service = manifests("Service")["slawatch"]
    target = manifests("HorizontalPodAutoscaler")["slawatch-api"]["spec"]["scaleTargetRef"]

    assert service["spec"]["selector"] == labels
    assert target["name"] == "slawatch-api"


def test_what_the_config_map_sets_exists_and_its_document_has_no_mistake(tmp_path: Path) -> None:
    maps = manifests("ConfigMap")
    (tmp_path / "zendesk-secret").write_text("the-signing-secret", encoding="utf-8")
    (tmp_path / "upstream-secret").write_text(signing.new_secret(), encoding="utf-8")
    text = maps["slawatch-document"]["data"]["slawatch.yaml"].replace("/run/secrets/slawatch", str(tmp_path))
    checked = check(text, file="slawatch.yaml", environ={}, base=tmp_path, today=date(2026, 3, 2))

    assert settings_of(list(maps["slawatch"]["data"])) <= set(Settings.model_fields)
    assert checked.findings == ()


def test_the_example_of_retention_is_one(tmp_path: Path) -> None:
    [part] = re.findall(r"^```yaml\n(retention:.*?)^```$", (ROOT / "docs/scaling.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    text = f"version: 1\npolicies: [{{name: all, calendar: always, targets: {{resolution: 4h}}}}]\n{part}"
    checked = check(text, file="slawatch.yaml", environ={}, base=tmp_path, today=date(2026, 3, 2))

    assert checked.findings == ()


def unit(file: Path) -> configparser.ConfigParser:
    """The last of each key, and its sections; systemd's own reader allows a key several times."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(file, encoding="utf-8")
    return parser


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_a_unit_starts_the_service_ends_it_well_and_does_not_insist_on_a_wrong_configuration(file: Path) -> None:
    parsed = unit(file)
    service = parsed["Service"]
    environment = re.findall(r"^Environment=(\w+)=", file.read_text(encoding="utf-8"), re.MULTILINE)

    assert parsed.sections() == ["Unit", "Service", "Install"]
    assert service["ExecStart"].startswith("/opt/slawatch/bin/slawatch serve")
    assert int(service["TimeoutStopSec"]) >= 40
    assert service["RestartPreventExitStatus"] == "78"
    assert service["NoNewPrivileges"] == "yes"
    assert settings_of(environment) <= set(Settings.model_fields)


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_systemd_itself_finds_nothing_wrong_with_a_unit(file: Path, tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    text = file.read_text(encoding="utf-8")
    copy = tmp_path / file.name
    copy.write_text(text.replace("/opt/slawatch/bin/slawatch", sys.executable), encoding="utf-8")
    said = subprocess.run([verify, "verify", copy], capture_output=True, text=True, timeout=60).stderr if verify else ""
    ours = [line for line in said.splitlines() if line.startswith(file.stem.rstrip("@"))]

    assert "/opt/slawatch/bin/slawatch" in text
    assert ours == []


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    [document] = documents(DEPLOY / "compose" / "compose.yaml")
    return document


def test_compose_runs_two_of_each_behind_pgbouncer_and_checks_everything(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert {"database", "pgbouncer", "api", "worker"} == set(services)
    assert {services[name]["deploy"]["replicas"] for name in ("api", "worker")} == {2}
    assert all("pgbouncer=true" in services[name]["environment"]["SLAWATCH_DATABASE_URL"] for name in ("api", "worker"))
    assert all(service["healthcheck"]["test"][0] == "CMD" for service in services.values())
    assert [port["host_ip"] for port in services["api"]["ports"]] == ["127.0.0.1"]


def test_compose_names_only_settings_and_parts_that_exist_and_holds_no_secret(compose: dict[str, Any]) -> None:
    services = compose["services"]
    words = {key: str(value) for service in services.values() for key, value in service.get("environment", {}).items()}
    secrets = [value for key, value in words.items() if re.search(r"PASSWORD|KEY|DATABASE_URL", key)]
    users = compose["configs"]["users"]["content"]

    assert settings_of(list(words)) <= set(Settings.model_fields)
    assert {name for service in services.values() for name in service.get("depends_on", {})} <= set(services)
    assert {each["source"] for service in services.values() for each in service.get("configs", [])} == set(compose["configs"])
    assert all(re.search(r"\$\{\w+:\?[^}]+\}", value) for value in [*secrets, users])


def test_compose_gives_pgbouncer_what_the_limits_of_the_service_ask_for(compose: dict[str, Any]) -> None:
    pooler = configparser.ConfigParser(interpolation=None)
    pooler.read_string(compose["configs"]["pgbouncer"]["content"])
    limits = [word for word in compose["services"]["database"]["command"] if "timeout" in word]

    assert pooler["pgbouncer"]["pool_mode"] == "transaction"
    assert int(pooler["pgbouncer"]["max_client_conn"]) >= 4 * int(compose["x-slawatch"]["environment"]["SLAWATCH_DATABASE_POOL"])
    assert limits == ["statement_timeout=30s", "lock_timeout=5s", "idle_in_transaction_session_timeout=20s", "transaction_timeout=60s"]


def samples() -> set[str]:
    """The names of all samples there can be, with those that have no value yet."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    return {family.name + suffix for family in metrics.REGISTRY.collect() for suffix in suffixes[family.type]}


@pytest.mark.parametrize("file", ["docs/scaling.md", "docs/operations.md", "deploy/prometheus/alerts.yaml"])
def test_every_metric_that_is_named_exists(file: str) -> None:
    named = set(re.findall(r"\bslawatch_(?!restored)[a-z_]+\b", (ROOT / file).read_text(encoding="utf-8")))
    known = samples() | {name.removesuffix("_sum") for name in samples() if name.endswith("_sum")}

    assert named
    assert named - known == set()


def alerts() -> list[dict[str, Any]]:
    [document] = documents(DEPLOY / "prometheus" / "alerts.yaml")
    return [rule for group in document["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_has_what_prometheus_asks_for_and_what_people_do(rule: dict[str, Any]) -> None:
    todo = (ROOT / "docs/operations.md").read_text(encoding="utf-8")

    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
    assert rule["expr"].count("(") == rule["expr"].count(")")
    assert f"| `{rule['alert']}` |" in todo


def anchors(page: Path) -> set[str]:
    """Where a link into a page may lead: its headings, as they are spelled in addresses."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", ["scaling.md", "operations.md", "storage.md"])
def test_every_link_of_the_pages_on_running_it_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", (ROOT / "docs" / page).read_text(encoding="utf-8"))
    targets = [(ROOT / "docs" / (path or page), anchor) for path, anchor in links]

    assert targets
    assert [str(target) for target, anchor in targets if not target.exists() or (anchor and anchor not in anchors(target))] == []
