"""`python -m deploy.k8s.check`: builds every combination of manifests and validates it offline."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

from deploy.k8s import keda_schemas
from deploy.k8s.combinations import HERE, Combination, every_combination
from deploy.k8s.rules import Manifest, broken_rules
from deploy.local import go_tools

KUSTOMIZE = go_tools.GoTool("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", "v5.8.2")
KUBERNETES = "1.37"
DOCKERFILE = HERE.parents[1] / "Dockerfile"


def main() -> int:
    """Exit status 1 where anything is wrong; each fault is one line."""
    kustomize = go_tools.ensure(KUSTOMIZE, _say)
    schemas = keda_schemas.fetch(_say)
    faults = [f"Dockerfile: {line}" for line in _lint_dockerfile()]
    for combination in every_combination():
        manifests, error = _build(kustomize, combination)
        found = [error] if error else [*_invalid(manifests, schemas), *broken_rules(manifests)]
        faults.extend(f"{combination.name}: {fault}" for fault in found)
        _say(f"{combination.name}: {len(manifests)} manifests, {len(found)} faults")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _build(kustomize: Path, combination: Combination) -> tuple[list[Manifest], str]:
    """The manifests, or none and why."""
    with tempfile.TemporaryDirectory() as folder:
        combination.write(Path(folder))
        command = [str(kustomize), "build", folder]
        built = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if built.returncode != 0:
        return [], built.stderr.strip()
    return [m for m in yaml.safe_load_all(built.stdout) if m], ""


def _invalid(manifests: list[Manifest], schemas: Path) -> Iterator[str]:
    """What the schemas of Kubernetes and KEDA refuse, unknown fields included."""
    for manifest in manifests:
        name = f"{manifest['kind']}/{manifest['metadata']['name']}"
        group, _, version = manifest["apiVersion"].rpartition("/")
        try:
            if group == "keda.sh":
                jsonschema.validate(manifest, keda_schemas.schema(schemas, manifest["kind"], version))
            else:
                kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
        except jsonschema.ValidationError as error:
            yield f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message}"
        except (kubernetes_validate.SchemaNotFoundError, KeyError) as error:
            yield f"{name}: no schema: {error}"


def _lint_dockerfile() -> list[str]:
    command = [str(Path(sys.executable).with_name("hadolint")), str(DOCKERFILE)]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    return (linted.stdout + linted.stderr).strip().splitlines()


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
