"""The container and the pod in which a package serves; the same under Kubernetes' own workloads and under KServe."""

import dataclasses
import math
from typing import Any

from modelyard.core import ConfigError
from modelyard.packaging import Package
from modelyard.shipping.containerfile import PORT, USER
from modelyard.shipping.context import image_name

__all__ = ["Deployed", "container", "metadata", "pod", "selector"]

_UID, _GID = (int(part) for part in USER.split(":"))
_DRAIN_S = 20
"""What a server takes to finish open requests; ``ServingSettings.drain_timeout_s``."""

_LEAVE_S = 5
"""Time for load balancers to hear that a pod is going, before it is told so itself."""

_STEP_MIB = 64


@dataclasses.dataclass(frozen=True)
class Deployed:
    """What is deployed, and how.

    Parameters
    ----------
    package
        The package inside the image.
    image
        Its image, as the cluster will fetch it.
    log_claim
        Name of a persistent volume claim for the prediction log, which all pods share; None for a folder that goes with
        its pod.
    replicas
        The least number of pods, and the most.

    Raises
    ------
    ConfigError
        If the replicas are not between 1 and some number above.
    """

    package: Package
    image: str
    log_claim: str | None = None
    replicas: tuple[int, int] = (2, 10)

    def __post_init__(self) -> None:
        least, most = self.replicas
        if not 1 <= least <= most:
            raise ConfigError(
                "there must be at least one replica, and at most as many as the upper number says",
                where="--replicas",
                got=f"{least} and {most}",
                cure="Give 1 or more, and the larger number second",
            )

    @property
    def name(self) -> str:
        """The name of every object."""
        return image_name(self.package)


def metadata(deployed: Deployed) -> dict[str, Any]:
    """Name, labels that Kubernetes recommends, and the digest of the package."""
    manifest = deployed.package.manifest
    return {
        "name": deployed.name,
        "labels": {
            **selector(deployed),
            "app.kubernetes.io/version": manifest.version,
            "app.kubernetes.io/managed-by": "modelyard",
        },
        "annotations": {"modelyard/package-digest": manifest.digest},
    }


def selector(deployed: Deployed) -> dict[str, str]:
    """The label by which pods are found."""
    return {"app.kubernetes.io/name": deployed.name}


def pod(deployed: Deployed, container_name: str) -> dict[str, Any]:
    """The pod: not root, no token of the cluster, and time to go in peace."""
    claim = deployed.log_claim
    log: dict[str, Any] = (
        {"emptyDir": {"sizeLimit": "2Gi"}} if claim is None else {"persistentVolumeClaim": {"claimName": claim}}
    )
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": _DRAIN_S + _LEAVE_S + 5,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _UID,
            "runAsGroup": _GID,
            "fsGroup": _GID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container(deployed, container_name)],
        "volumes": [
            {"name": "log", **log},
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
            {"name": "keys", "secret": {"secretName": f"{deployed.name}-keys", "defaultMode": 0o440}},
        ],
    }


def container(deployed: Deployed, name: str) -> dict[str, Any]:
    """The container: a root file system that nobody writes to, probes on the server's own health."""
    return {
        "name": name,
        "image": deployed.image,
        "ports": [{"name": "http1", "containerPort": PORT, "protocol": "TCP"}],
        "resources": _resources(deployed.package),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "log", "mountPath": "/log"},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a mount of the pod's own
            {"name": "keys", "mountPath": "/keys", "readOnly": True},
        ],
        "startupProbe": {**_probe("ready"), "periodSeconds": 1, "failureThreshold": 60},
        "readinessProbe": {**_probe("ready"), "periodSeconds": 5, "failureThreshold": 2},
        "livenessProbe": {**_probe("live"), "periodSeconds": 10, "failureThreshold": 3},
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(_LEAVE_S)]}}},
    }


def _probe(state: str) -> dict[str, Any]:
    return {"httpGet": {"path": f"/health/{state}", "port": PORT}, "timeoutSeconds": 2}


def _resources(package: Package) -> dict[str, Any]:
    """Memory from what the package was measured to need, the limit at twice the request.

    The request is the measured peak and half as much for the server around the scorer. There is no limit on processor
    time: it would stop a pod in the middle of a request while the machine idles.
    """
    measured = package.read_json("metrics.json")["measurement"]["memory_mb"]
    request = math.ceil(1.5 * measured / _STEP_MIB) * _STEP_MIB
    return {"requests": {"cpu": "500m", "memory": f"{request}Mi"}, "limits": {"memory": f"{2 * request}Mi"}}
