"""The manifests are what Kubernetes takes: by its published schemas, and by what we promise of every pod."""

import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ostiary_shared.release import VERSION
from tests.house import tree

HERE = tree.ROOT / "deploy/kubernetes"
OVERLAYS = ("base", "overlays/small", "overlays/production")
ALONE = sorted(path.name for path in (HERE / "components").iterdir())
# What changes another component's resources comes after it.
AFTER = {"traefik-tls": ["traefik", "internal-tls"]}
RELEASE = "1.37"
NOT_OF_KUBERNETES = (
    "kustomize.config.k8s.io",
    "gateway.networking.k8s.io",
    "traefik.io",
    "postgresql.cnpg.io",
    "monitoring.coreos.com",
)
# Changed by an overlay, so not whole by themselves.
PATCHES = {"autoscale-on-latency.yaml"}


def _documents(text: str) -> Iterator[dict[str, Any]]:
    return (document for document in yaml.safe_load_all(text) if document)


def _written() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(HERE.rglob("*.yaml")):
        for document in _documents(path.read_text(encoding="utf-8")):
            yield path, document


def _checked(document: dict[str, Any]) -> bool:
    group = document["apiVersion"].partition("/")[0]
    if group in NOT_OF_KUBERNETES:
        return False
    kubernetes_validate.validate(document, RELEASE, strict=True)
    return True


def _pods(documents: Iterator[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for document in documents:
        spec = document.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield document["metadata"]["name"], spec["template"]


def _rendered(folder: Path) -> list[dict[str, Any]]:
    kustomize = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]
    if not shutil.which(kustomize[0]):
        pytest.skip("neither kustomize nor kubectl is here")
    done = subprocess.run([*kustomize, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(_documents(done.stdout))


def test_every_manifest_meets_the_published_schema() -> None:
    checked = [_checked(document) for path, document in _written() if path.name not in PATCHES]
    assert sum(checked) > 25


def test_a_wrong_field_would_be_found() -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        _checked({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"prots": []}})


@pytest.mark.parametrize("folder", OVERLAYS)
def test_an_overlay_renders_to_what_kubernetes_takes(folder: str) -> None:
    documents = _rendered(HERE / folder)
    assert sum(map(_checked, documents)) > 15
    images = {container["image"] for _, pod in _pods(iter(documents)) for container in pod["spec"]["containers"]}
    ours = {name for name in images if name.startswith("ostiary-")}
    assert len(ours) >= 4
    assert all(name.endswith(f":{VERSION}") for name in ours)
    assert images - ours <= {"postgres:18"}


@pytest.mark.parametrize("component", ALONE)
def test_every_component_fits_onto_the_base(component: str, tmp_path: Path) -> None:
    kubernetes = tmp_path / "kubernetes"
    shutil.copytree(HERE, kubernetes)
    own = kubernetes / "overlays/mine"
    own.mkdir()
    (own / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../../base]\n"
        f"components: {[f'../../components/{name}' for name in (*AFTER.get(component, ()), component)]}\n"
    )
    documents = _rendered(own)
    assert len(documents) > len(_rendered(HERE / "base")) or component == "internal-tls"
    assert sum(map(_checked, documents)) > 15


def test_no_pod_may_do_more_than_it_must() -> None:
    pods = dict(_pods(document for _, document in _written()))
    assert {"ostiary-auth", "ostiary-admin", "ostiary-courier", "ostiary-migrate", "ostiary-backup"} <= pods.keys()
    for name, pod in pods.items():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in spec["containers"]:
            locked = container["securityContext"]
            assert locked["allowPrivilegeEscalation"] is False, name
            assert locked["readOnlyRootFilesystem"] is True, name
            assert locked["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"]["memory"], name
            assert not [one for one in container.get("env", ()) if one["name"].endswith(("KEY", "PASSWORD", "_URL"))]


def test_whose_word_counts_is_for_the_operator_to_say() -> None:
    told = dict(line.split("=", 1) for line in (HERE / "base/settings.conf").read_text().splitlines() if "=" in line)
    with pytest.raises(ValueError, match="does not appear to be"):
        ip_network(told["OSTIARY_TRUSTED_PROXIES"])


def test_nobody_is_reached_who_is_not_named() -> None:
    policies = {
        document["metadata"]["name"]: document for _, document in _written() if document["kind"] == "NetworkPolicy"
    }
    nobody = policies["ostiary-nobody"]["spec"]
    assert nobody["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in nobody
    assert "egress" not in nobody
    reachable = {name: policy["spec"].get("ingress", ()) for name, policy in policies.items()}
    assert all(rule.get("from") for rules in reachable.values() for rule in rules), "an ingress from anywhere"


def test_the_middlewares_strip_what_the_proxy_file_strips() -> None:
    """Two forms of one list: what the one removes, the other must."""
    file = yaml.safe_load((tree.ROOT / "deploy/proxy/traefik-sites.yml").read_text(encoding="utf-8"))
    middlewares = file["http"]["middlewares"]
    resources = {
        document["metadata"]["name"]: document["spec"]
        for document in _documents((HERE / "components/traefik-gate/middlewares.yaml").read_text(encoding="utf-8"))
    }
    for name in ("ostiary-strip", "ostiary-hide"):
        assert resources[name] == middlewares[name]
    ours, theirs = resources["ostiary-gate"]["forwardAuth"], middlewares["ostiary-gate"]["forwardAuth"]
    assert {**ours, "address": ""} == {**theirs, "address": ""}


def test_the_alerts_are_those_that_are_shipped() -> None:
    shipped = yaml.safe_load((tree.ROOT / "deploy/metrics/alerts.yml").read_text(encoding="utf-8"))
    rules = (HERE / "components/prometheus-operator/alerts.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(rules)["spec"]["groups"] == shipped["groups"]
