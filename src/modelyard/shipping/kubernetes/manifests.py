"""Manifests: Deployment, Service, HorizontalPodAutoscaler and PodDisruptionBudget, or an InferenceService of KServe."""

from typing import Any

from modelyard.shipping.containerfile import PORT
from modelyard.shipping.kubernetes.workload import Deployed, metadata, pod, selector

__all__ = ["inference_service", "manifests"]

_BUSY_PERCENT = 70


def manifests(deployed: Deployed) -> list[dict[str, Any]]:
    """What ``kubectl apply`` is given for a cluster without KServe."""
    return [_deployment(deployed), _service(deployed), _autoscaler(deployed), _disruption_budget(deployed)]


def inference_service(deployed: Deployed) -> dict[str, Any]:
    """The same pod as the predictor of a KServe InferenceService; KServe scales it and routes to it."""
    least, most = deployed.replicas
    predictor = {"minReplicas": least, "maxReplicas": most, **pod(deployed, "kserve-container")}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": metadata(deployed),
        "spec": {"predictor": predictor},
    }


def _deployment(deployed: Deployed) -> dict[str, Any]:
    """Pods of one version; a new one is there before an old one goes."""
    named = metadata(deployed)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": named,
        "spec": {
            "selector": {"matchLabels": selector(deployed)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {
                "metadata": {"labels": named["labels"], "annotations": named["annotations"]},
                "spec": pod(deployed, "server"),
            },
        },
    }


def _service(deployed: Deployed) -> dict[str, Any]:
    """One address for all pods, within the cluster."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(deployed),
        "spec": {
            "selector": selector(deployed),
            "ports": [{"name": "http", "port": 80, "targetPort": PORT, "protocol": "TCP"}],
        },
    }


def _autoscaler(deployed: Deployed) -> dict[str, Any]:
    """More pods when they are busy; the Deployment itself names no number, so that the two do not quarrel."""
    least, most = deployed.replicas
    busy = {"type": "Utilization", "averageUtilization": _BUSY_PERCENT}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(deployed),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployed.name},
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": busy}}],
        },
    }


def _disruption_budget(deployed: Deployed) -> dict[str, Any]:
    """One pod at a time may be taken away when a machine is emptied."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(deployed),
        "spec": {"selector": {"matchLabels": selector(deployed)}, "maxUnavailable": 1},
    }
