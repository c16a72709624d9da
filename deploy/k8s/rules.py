"""What must hold in every build, beyond the schemas."""

from collections.abc import Iterator
from typing import Any

Manifest = dict[str, Any]
WORKLOADS = {"Deployment", "StatefulSet", "Job"}


def broken_rules(manifests: list[Manifest]) -> Iterator[str]:
    """One sentence for each rule that these manifests break."""
    scaled = {m["spec"]["scaleTargetRef"]["name"]: m for m in manifests if m["kind"] == "ScaledObject"}
    deployments = {m["metadata"]["name"]: m for m in manifests if m["kind"] == "Deployment"}
    for workload in (m for m in manifests if m["kind"] in WORKLOADS):
        yield from _restricted(workload)
    for name, deployment in deployments.items():
        yield from _probes(deployment)
        if name in scaled and "replicas" in deployment["spec"]:
            yield f"{name}: has replicas although a scaler decides them"
    for name, scaler in scaled.items():
        if name not in deployments:
            yield f"{name}: a scaler without its deployment"
        yield from _lag_trigger(scaler)


def _restricted(workload: Manifest) -> Iterator[str]:
    """The restricted Pod Security profile, and requests for the scheduler."""
    name, pod = workload["metadata"]["name"], workload["spec"]["template"]["spec"]
    context = pod.get("securityContext", {})
    if not context.get("runAsNonRoot") or context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield f"{name}: the pod is not restricted (runAsNonRoot, seccompProfile)"
    for container in pod["containers"]:
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False or not own.get("readOnlyRootFilesystem"):
            yield f"{name}: the container may escalate or write its root"
        if own.get("capabilities", {}).get("drop") != ["ALL"]:
            yield f"{name}: the container keeps capabilities"
        if not {"cpu", "memory"} <= container.get("resources", {}).get("requests", {}).keys():
            yield f"{name}: the container requests no cpu or memory"


def _probes(deployment: Manifest) -> Iterator[str]:
    for container in deployment["spec"]["template"]["spec"]["containers"]:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if probe not in container:
                yield f"{deployment['metadata']['name']}: no {probe}"


def _lag_trigger(scaler: Manifest) -> Iterator[str]:
    """A group that never committed never wakes without its topic named (KEDA's Kafka scaler)."""
    for trigger in scaler["spec"]["triggers"]:
        missing = {"topic", "consumerGroup", "lagThreshold"} - trigger["metadata"].keys()
        if missing:
            yield f"{scaler['metadata']['name']}: the trigger lacks {', '.join(sorted(missing))}"
