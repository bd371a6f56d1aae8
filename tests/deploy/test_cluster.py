"""The documents of the Kubernetes manifests fit together."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dvidpc.config import load_config
from dvidpc.config.sections import LimitsConfig
from tests.balancer import RECIPE
from tests.deploy.cluster import (
    KUBERNETES,
    WORKLOADS,
    container_of,
    document,
    haproxy_config,
    kubernetes_documents,
    pod_of,
)

COMPONENT = "app.kubernetes.io/component"


def is_selected(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return selector.items() <= labels.items()


def selected_by(selector: Mapping[str, str]) -> dict[str, Any]:
    """Return the only workload whose pods a selector selects."""
    [found] = [one for one in WORKLOADS if is_selected(selector, pod_of(one)["metadata"]["labels"])]
    return found


def selectors(value: object) -> list[Mapping[str, str]]:
    """Return all selectors of pods in a document."""
    if isinstance(value, list):
        return [one for item in value for one in selectors(item)]
    if not isinstance(value, dict):
        return []
    found = [value["matchLabels"]] if "matchLabels" in value else []
    below = [item for key, item in value.items() if key != "namespaceSelector"]
    return found + [one for item in below for one in selectors(item)]


def test_every_selector_selects_the_pods_of_one_workload() -> None:
    for one in kubernetes_documents():
        for selector in selectors(one):
            assert selected_by(selector)["metadata"]["labels"][COMPONENT] in {"server", "balancer"}
    for workload in WORKLOADS:
        assert selected_by(workload["spec"]["selector"]["matchLabels"]) is workload


def test_services_lead_to_named_ports_of_the_right_pods() -> None:
    for name, workload in (("dvidpc", WORKLOADS[1]), ("dvidpc-servers", WORKLOADS[0])):
        service = document("Service", name)["spec"]
        assert selected_by(service["selector"]) is workload
        [port] = service["ports"]
        assert port["targetPort"] in {one["name"] for one in container_of(workload)["ports"]}
    assert document("Service", "dvidpc-servers")["spec"]["clusterIP"] == "None"
    assert WORKLOADS[0]["spec"]["serviceName"] == "dvidpc-servers"


def test_probes_and_policies_name_ports_of_the_pods() -> None:
    for workload in WORKLOADS:
        container = container_of(workload)
        ports = {one["name"]: one["containerPort"] for one in container["ports"]}
        for probe in ("livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["port"] in ports
        policy = document("NetworkPolicy", workload["metadata"]["name"])["spec"]
        assert selected_by(policy["podSelector"]["matchLabels"]) is workload
        assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} == ports.keys()
    [to_servers, _] = document("NetworkPolicy", "dvidpc-balancer")["spec"]["egress"]
    assert selected_by(to_servers["to"][0]["podSelector"]["matchLabels"]) is WORKLOADS[0]
    assert to_servers["ports"] == [{"port": "http"}]


def test_volumes_are_declared_and_mounted() -> None:
    for workload in WORKLOADS:
        spec = workload["spec"]
        claims = [claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", ())]
        declared = [volume["name"] for volume in pod_of(workload)["spec"]["volumes"]] + claims
        mounted = [mount["name"] for mount in container_of(workload)["volumeMounts"]]
        assert sorted(declared) == sorted(mounted)
        for volume in pod_of(workload)["spec"]["volumes"]:
            if "configMap" in volume:
                document("ConfigMap", volume["configMap"]["name"])


def test_the_disk_cache_is_on_the_claim_and_fits(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(document("ConfigMap", "dvidpc")["data"]["config.toml"])
    cache = load_config(tmp_path / "config.toml").cache
    mounts = {mount["name"]: mount["mountPath"] for mount in container_of(WORKLOADS[0])["volumeMounts"]}
    assert str(cache.disk_path) == mounts["disk"]
    [claim] = WORKLOADS[0]["spec"]["volumeClaimTemplates"]
    size = claim["spec"]["resources"]["requests"]["storage"]
    assert size.endswith("Gi")
    # ext4 keeps 5 % for root, and needs 1.6 % for itself
    assert cache.disk * 1.01 < int(size.removesuffix("Gi")) * 2**30 * 0.93
    assert pod_of(WORKLOADS[0])["spec"]["securityContext"]["fsGroup"] == 10001


def test_the_autoscaler_asks_for_what_prometheus_is_told_to_give() -> None:
    scaler = document("HorizontalPodAutoscaler", "dvidpc")["spec"]
    target = scaler["scaleTargetRef"]
    assert document(target["kind"], target["name"]) is not None
    [metric] = scaler["metrics"]
    [rule] = yaml.safe_load((KUBERNETES / "prometheus-adapter.yaml").read_text())["rules"]["custom"]
    assert rule["seriesQuery"].startswith(f"{metric['pods']['metric']['name']}{{")
    assert set(rule["resources"]["overrides"]) == {"namespace", "pod"}
    assert int(metric["pods"]["target"]["averageValue"]) == LimitsConfig().max_in_flight / 2
    assert scaler["minReplicas"] == WORKLOADS[0]["spec"]["replicas"]
    names = re.findall(r"^ *server (\S+) ", haproxy_config(), re.MULTILINE)
    assert names == [f"dvidpc-{number}" for number in range(scaler["maxReplicas"])] * 2


def sections(text: str) -> dict[str, list[str]]:
    """Return the lines of each section of an HAProxy configuration, without comments and servers."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in re.sub(r" *#.*", "", text).splitlines():
        if line and not line.startswith(" "):
            lines = found.setdefault(line, [])
        elif line and not line.lstrip().startswith("server "):
            lines.append(line.strip().removesuffix(" resolvers cluster init-addr libc,none"))
    return found


def test_the_balancer_of_the_cluster_is_that_of_the_recipe() -> None:
    recipe, ours = sections(RECIPE.read_text()), sections(haproxy_config())
    assert set(recipe) < set(ours)
    for name, lines in recipe.items():
        assert [line for line in ours[name] if line in lines or name != "global"] == lines, name
