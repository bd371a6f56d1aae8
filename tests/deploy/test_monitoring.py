"""Prometheus accepts the files in deploy/, and finds all workers of all pods."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.cluster import DEPLOY, KUBERNETES, WORKLOADS, container_of, pod_of
from tests.programs import need


def prometheus_targets(job: str, pods: list[dict[str, Any]], directory: Path) -> list[dict[str, str]]:
    """Return the labels of the targets that a job of prometheus.yml makes of *pods*.

    Debian's promtool knows no Kubernetes, so the pods come from a file.
    """
    text = (KUBERNETES / "prometheus.yml").read_text()
    (directory / "pods.yml").write_text(yaml.safe_dump(pods))
    path = directory / "prometheus.yml"
    path.write_text(
        text.replace("kubernetes_sd_configs: [{role: pod}]", "file_sd_configs: [{files: [pods.yml]}]")
    )
    command = [need("promtool", "prometheus"), "check", "service-discovery", "--timeout=2s", str(path), job]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [one["labels"] for one in json.loads(output) if one.get("labels")]


def discovered(workload: Mapping[str, Any], number: int, extra: dict[str, int]) -> list[dict[str, Any]]:
    """Return a pod as Prometheus finds it in Kubernetes: a target for each port of a container."""
    name, pod = f"{workload['metadata']['name']}-{number}", pod_of(workload)
    ports = {one["name"]: one["containerPort"] for one in container_of(workload)["ports"]} | extra
    meta = {
        re.sub(r"\W", "_", f"__meta_kubernetes_pod_label_{key}"): text
        for key, text in pod["metadata"]["labels"].items()
    }
    meta |= {"__meta_kubernetes_namespace": "lab", "__meta_kubernetes_pod_name": name}
    return [
        {
            "targets": [f"10.0.0.{number}:{port}"],
            "labels": meta
            | {
                "__meta_kubernetes_pod_container_port_name": title,
                "__meta_kubernetes_pod_container_port_number": str(port),
            },
        }
        for title, port in ports.items()
    ]


def test_prometheus_finds_all_pods_and_all_workers(tmp_path: Path) -> None:
    servers, balancers = WORKLOADS
    found = [one for number in range(3) for one in discovered(servers, number, {"metrics-1": 9101})]
    found += [one for number in range(2) for one in discovered(balancers, number, {})]
    labels = prometheus_targets("dvidpc", found, tmp_path)
    assert sorted((one["instance"], one["pod"], one["namespace"]) for one in labels) == [
        (f"dvidpc-{number}:{port}", f"dvidpc-{number}", "lab") for number in range(3) for port in (9100, 9101)
    ]
    labels = prometheus_targets("dvidpc-balancer", found, tmp_path)
    assert sorted(one["instance"] for one in labels) == ["dvidpc-balancer-0", "dvidpc-balancer-1"]


def test_prometheus_accepts_configuration_rules_and_targets(tmp_path: Path) -> None:
    promtool = need("promtool", "prometheus")
    for name in ("prometheus.yml", "alerts.yml", "dvidpc-targets.yml"):
        (tmp_path / name).write_text((DEPLOY / name).read_text())
    command = [promtool, "check", "config", "--lint-fatal", str(tmp_path / "prometheus.yml")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    command[2:] = ["service-discovery", "--timeout=2s", str(tmp_path / "prometheus.yml"), "dvidpc"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert [one["labels"]["instance"] for one in json.loads(output)] == ["dvidpc:9100"]
