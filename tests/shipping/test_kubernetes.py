import ast
import copy
import importlib.util
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from modelyard.core import ConfigError
from modelyard.packaging import Package
from modelyard.shipping import Deployed, export_manifests
from modelyard.shipping.kubernetes import inference_service, manifests

KUBERNETES = "1.37"
KINDS = ["Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"]


@pytest.fixture
def deployed(package: Package) -> Deployed:
    """The package under the image's usual name."""
    return Deployed(package, "registry.example.org/telco-churn:1")


def validate(thing: dict[str, Any]) -> None:
    """Hold an object against the published schema of its kind; unknown fields are errors."""
    kubernetes_validate.validate(thing, KUBERNETES, strict=True)


def test_every_object_keeps_the_published_schema(deployed: Deployed) -> None:
    """Kubernetes' own schemas accept every object, also with a claim for the log; a misspelt field is found."""
    objects = [*manifests(deployed), *manifests(Deployed(deployed.package, "churn:3", "logs", (1, 1)))]
    for thing in objects:
        validate(thing)
    wrong = copy.deepcopy(objects[0])
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}

    assert [thing["kind"] for thing in objects] == KINDS * 2
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(wrong)


def test_the_pod_asks_for_no_privilege(deployed: Deployed) -> None:
    """The restricted Pod Security Standard, a read-only root file system, and no token of the cluster."""
    pod = manifests(deployed)[0]["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/log", "/tmp", "/keys"}  # noqa: S108 - mounts of the pod


def test_pods_are_found_scaled_and_left_in_peace(deployed: Deployed) -> None:
    """Selectors lead to the pods' labels, the autoscaler to the Deployment, and the grace outlasts the drain."""
    deployment, service, autoscaler, budget = manifests(deployed)
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    pod = deployment["spec"]["template"]["spec"]

    for selector in (
        deployment["spec"]["selector"]["matchLabels"],
        service["spec"]["selector"],
        budget["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    assert autoscaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"] == "telco-churn"
    assert "replicas" not in deployment["spec"]
    assert service["spec"]["ports"][0]["targetPort"] == pod["containers"][0]["ports"][0]["containerPort"]
    assert pod["terminationGracePeriodSeconds"] >= 20 + 5
    assert deployment["metadata"]["annotations"]["modelyard/package-digest"] == deployed.package.manifest.digest


def test_memory_follows_the_measurement(deployed: Deployed) -> None:
    """The request is above what the package was measured to need; the limit is twice the request."""
    resources = manifests(deployed)[0]["spec"]["template"]["spec"]["containers"][0]["resources"]
    request, limit = (int(resources[kind]["memory"].removesuffix("Mi")) for kind in ("requests", "limits"))
    measured = deployed.package.read_json("metrics.json")["measurement"]["memory_mb"]

    assert measured < request <= 1.5 * measured + 64
    assert limit == 2 * request
    assert "cpu" not in resources["limits"]


def test_the_file_reads_back_and_says_what_to_do_first(deployed: Deployed, tmp_path: Path) -> None:
    """One YAML document for each object, without anchors; the head names the digest, the secret, and what is lost."""
    path = tmp_path / "churn.yaml"
    kinds = export_manifests(deployed, "kubernetes", path)
    text = path.read_text()
    export_manifests(Deployed(deployed.package, "churn:3", "logs"), "kserve", tmp_path / "kserve.yaml")
    (service,) = yaml.safe_load_all((tmp_path / "kserve.yaml").read_text())

    assert kinds == KINDS
    assert list(yaml.safe_load_all(text)) == manifests(deployed)
    assert "&id001" not in text
    assert deployed.package.manifest.digest in text.splitlines()[0]
    assert "kubectl create secret generic telco-churn-keys" in text
    assert "The prediction log goes with its pod" in text
    assert service["spec"]["predictor"]["volumes"][0] == {"name": "log", "persistentVolumeClaim": {"claimName": "logs"}}


def test_what_cannot_be_is_refused(deployed: Deployed, tmp_path: Path) -> None:
    """An unknown form, no replica, and an image without a name."""
    with pytest.raises(ConfigError, match="Choose one of: kubernetes, kserve"):
        export_manifests(deployed, "nomad", tmp_path / "file")
    with pytest.raises(ConfigError, match="at least one replica"):
        Deployed(deployed.package, "churn:3", replicas=(3, 2))
    with pytest.raises(ConfigError, match="no name of an image"):
        export_manifests(Deployed(deployed.package, "two words"), "kubernetes", tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_the_predictor_of_kserve_is_a_pod(deployed: Deployed) -> None:
    """What KServe does not know itself is a pod's, and Kubernetes' schema accepts it."""
    service = inference_service(deployed)
    pod = {
        name: value
        for name, value in service["spec"]["predictor"].items()
        if name not in ("minReplicas", "maxReplicas")
    }
    validate({"apiVersion": "v1", "kind": "Pod", "metadata": service["metadata"], "spec": pod})

    assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    assert pod["containers"][0]["name"] == "kserve-container"


@pytest.mark.slow
def test_kserve_knows_every_field_of_the_inference_service(deployed: Deployed) -> None:
    """KServe's own Python models, read without importing what they need, name every field that is written."""
    service = inference_service(deployed)

    assert set(service) == {"apiVersion", "kind", "metadata", "spec"} <= kserve_fields("v1beta1_inference_service")
    assert set(service["spec"]) <= kserve_fields("v1beta1_inference_service_spec")
    assert set(service["spec"]["predictor"]) <= kserve_fields("v1beta1_predictor_spec")
    assert "minReplica" not in kserve_fields("v1beta1_predictor_spec")


def kserve_fields(module: str) -> set[str]:
    """The names of an object's fields in JSON, from the ``attribute_map`` of KServe's generated class."""
    spec = importlib.util.find_spec("kserve")
    if spec is None or not spec.submodule_search_locations:
        pytest.fail("KServe's models are missing: make .venv/.image")
    tree = ast.parse(Path(spec.submodule_search_locations[0], "models", f"{module}.py").read_text())
    (found,) = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "attribute_map"
    )
    return set(ast.literal_eval(found).values())
