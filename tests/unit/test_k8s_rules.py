"""The rules name what is wrong with a manifest, and say nothing of a good one."""

from copy import deepcopy
from typing import Any

import pytest

from deploy.k8s.combinations import Combination, every_combination
from deploy.k8s.rules import broken_rules

PROBE = {"httpGet": {"path": "/healthz", "port": "metrics"}}
CONTAINER = {
    "name": "service",
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
    "startupProbe": PROBE,
    "livenessProbe": PROBE,
    "readinessProbe": PROBE,
}
GOOD: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"name": "worker"},
    "spec": {
        "template": {
            "spec": {
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [CONTAINER],
            }
        }
    },
}
SCALER: dict[str, Any] = {
    "kind": "ScaledObject",
    "metadata": {"name": "worker"},
    "spec": {
        "scaleTargetRef": {"name": "worker"},
        "triggers": [{"metadata": {"topic": "t", "consumerGroup": "g", "lagThreshold": "5"}}],
    },
}


def test_a_good_deployment_with_its_scaler_breaks_no_rule() -> None:
    assert list(broken_rules([GOOD, SCALER])) == []


@pytest.mark.parametrize("field", ["securityContext", "resources", "livenessProbe", "readinessProbe"])
def test_a_container_that_lacks_a_safeguard_is_named(field: str) -> None:
    bad = deepcopy(GOOD)
    del bad["spec"]["template"]["spec"]["containers"][0][field]
    assert any("worker" in broken for broken in broken_rules([bad]))


def test_replicas_beside_a_scaler_are_refused() -> None:
    bad = deepcopy(GOOD)
    bad["spec"]["replicas"] = 3
    assert list(broken_rules([bad, SCALER])) == ["worker: has replicas although a scaler decides them"]


def test_a_scaler_must_name_its_topic() -> None:
    bad = deepcopy(SCALER)
    del bad["spec"]["triggers"][0]["metadata"]["topic"]
    assert list(broken_rules([GOOD, bad])) == ["worker: the trigger lacks topic"]


def test_a_scaler_without_its_deployment_is_refused() -> None:
    assert list(broken_rules([SCALER])) == ["worker: a scaler without its deployment"]


def test_every_root_is_built_bare_and_with_keda() -> None:
    built = set(every_combination())
    for root in ("base", "overlays/local"):
        assert {Combination(root, ()), Combination(root, ("keda",))} <= built
