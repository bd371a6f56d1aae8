"""What the Kubernetes manifests say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
KUBERNETES = DEPLOY / "kubernetes"


def kubernetes_documents() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((KUBERNETES / "dvidpc.yaml").read_text()))


def document(kind: str, name: str) -> dict[str, Any]:
    """Return a document of the Kubernetes manifests."""
    [found] = [
        one for one in kubernetes_documents() if (one["kind"], one["metadata"]["name"]) == (kind, name)
    ]
    return found


WORKLOADS = [document("StatefulSet", "dvidpc"), document("Deployment", "dvidpc-balancer")]


def pod_of(workload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template of the pods of a workload."""
    template: dict[str, Any] = workload["spec"]["template"]
    return template


def container_of(workload: Mapping[str, Any]) -> dict[str, Any]:
    [container] = pod_of(workload)["spec"]["containers"]
    return dict(container)


def haproxy_config() -> str:
    text: str = document("ConfigMap", "dvidpc-balancer")["data"]["haproxy.cfg"]
    return text
