"""The files in deploy/ are valid and name only metrics, routes and keys that exist."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from aiohttp.test_utils import TestClient, TestServer

from dvidpc.config import load_config
from dvidpc.http.metric_sources import METRICS
from dvidpc.http.metrics import metrics_app
from tests.deploy.cluster import DEPLOY, document, kubernetes_documents
from tests.programs import need
from tests.serving import config_text, serving
from tests.volumes import VolumeSpec, write_volume


def test_unit_grants_almost_no_rights() -> None:
    command = [
        need("systemd-analyze", "systemd"),
        "security",
        "--offline=yes",
        "--no-pager",
        str(DEPLOY / "dvidpc.service"),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    level = re.search(r"Overall exposure level for dvidpc.service: ([\d.]+)", result.stdout)
    assert level is not None, result.stderr
    assert float(level[1]) <= 2.0


def test_units_are_understood_by_systemd(tmp_path: Path) -> None:
    for name in ("dvidpc.service", "dvidpc.socket"):
        text = (DEPLOY / name).read_text().replace("/opt/dvidpc/bin/dvidpc", sys.executable)
        (tmp_path / name).write_text(text)
    units = [str(tmp_path / name) for name in ("dvidpc.service", "dvidpc.socket")]
    command = [need("systemd-analyze", "systemd"), "verify", "--man=no", *units]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@pytest.mark.parametrize("version", ["1.31", "1.37"])
@pytest.mark.parametrize("one", kubernetes_documents(), ids=lambda one: one["kind"])
def test_kubernetes_accepts_the_manifests(one: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(one, version, strict=True)


def test_configurations_can_be_read(tmp_path: Path) -> None:
    texts = [(DEPLOY / "config.toml").read_text()]
    texts.append(document("ConfigMap", "dvidpc")["data"]["config.toml"])
    for text in texts:
        (tmp_path / "config.toml").write_text(text)
        config = load_config(tmp_path / "config.toml")
        assert config.warnings == ()
        assert str(config.server.http_address) == ":8000"
        assert str(config.metrics.address) == ":9100"


def test_pods_have_time_to_drain(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(document("ConfigMap", "dvidpc")["data"]["config.toml"])
    config = load_config(tmp_path / "config.toml")
    needed = config.server.shutdown_delay_s + config.limits.drain_timeout_s
    pods = document("StatefulSet", "dvidpc")["spec"]["template"]["spec"]
    assert pods["terminationGracePeriodSeconds"] > needed


def test_compose_file_names_files_that_exist() -> None:
    document = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    mounts = [mount for service in document["services"].values() for mount in service.get("volumes", ())]
    assert mounts
    for source in (mount.split(":")[0] for mount in mounts):
        assert source in document["volumes"] or (DEPLOY / source).is_file()
    assert (DEPLOY / document["services"]["dvidpc"]["build"] / "Dockerfile").is_file()


def expressions() -> list[str]:
    dashboard = json.loads((DEPLOY / "grafana.json").read_text())
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    found += [
        one["query"]["query"] for one in dashboard["templating"]["list"] if isinstance(one["query"], dict)
    ]
    found += [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    scaler = document("HorizontalPodAutoscaler", "dvidpc")["spec"]
    return found + [one["pods"]["metric"]["name"] for one in scaler["metrics"]]


async def test_panels_and_rules_name_only_existing_metrics(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    disk = f'[cache]\ndisk = "64MiB"\ndisk_path = "{tmp_path}/disk"\n'
    async with serving(config_text({"em": tmp_path / "volume"}, disk), tmp_path) as server:
        await server.get(f"{server.node}/em/specificblocks?blocks=0,0,0")
        async with TestClient(TestServer(metrics_app(server.app[METRICS]))) as client:
            text = await (await client.get("/metrics")).text()
    series = re.findall(r"^(\w+)(?:\{(.*)\})? ", text, re.MULTILINE)
    labels: dict[str, set[str]] = {}
    for name, inside in series:
        labels.setdefault(name, {"instance"}).update(re.findall(r'(\w+)="', inside))
    named = set()
    for expression in expressions():
        plain = re.sub(r'"[^"]*"', "", expression)
        if plain.startswith("up{"):  # Prometheus's own, of each target
            continue
        metrics = re.findall(r"\b(?:dvidpc|process|python)_\w+", plain)
        assert metrics, expression
        named.update(metrics)
        assert set(metrics) <= labels.keys(), expression
        known = set.union(*(labels[metric] for metric in metrics))
        grouped = re.findall(r"by \(([^)]*)\)", plain)
        used = {label.strip() for group in grouped for label in group.split(",")}
        used |= set(re.findall(r"(\w+)=~?", re.sub(r"[><=]=", "", plain)))
        assert used <= known, (expression, used - known)
    ours = {
        name
        for name in labels
        if name.startswith("dvidpc_") and not name.endswith(("_sum", "_count", "_created"))
    }
    assert ours - named == set(), "metrics that no panel shows"
