"""A package on Kubernetes.

Takes: a package and the name of its image.
Gives: manifests that ``kubectl apply`` takes: Deployment, Service, autoscaler and disruption budget, or an InferenceService, or a Rollout.
Never: speaks to a cluster, holds a secret, or asks for a privilege.
"""

from modelyard.shipping.kubernetes.export import FORMS, export_manifests, manifest_file
from modelyard.shipping.kubernetes.manifests import inference_service, manifests
from modelyard.shipping.kubernetes.workload import Deployed

__all__ = ["FORMS", "Deployed", "export_manifests", "inference_service", "manifest_file", "manifests"]
