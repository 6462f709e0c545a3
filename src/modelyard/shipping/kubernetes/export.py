"""Writing manifests as one YAML file, with what has to be done before it is applied."""

from pathlib import Path
from typing import Any

import yaml

from modelyard.core import ConfigError, write_atomic
from modelyard.packaging import Package
from modelyard.rollout import Plan
from modelyard.shipping.containerfile import require_image_name
from modelyard.shipping.context import image_name
from modelyard.shipping.kubernetes.argo import left_out, rollout_objects
from modelyard.shipping.kubernetes.manifests import inference_service, manifests
from modelyard.shipping.kubernetes.workload import Deployed
from modelyard.version import __version__

__all__ = ["FORMS", "export_manifests", "manifest_file"]

FORMS = ("kubernetes", "kserve", "argo")

_HEAD = """\
# Written by modelyard {modelyard} for {slug}, package digest {digest}.
# Callers' keys, once: kubectl create secret generic {slug}-keys --from-file=keys.json
# {log}
# Then: kubectl apply -f {file}
"""
_LOST = "The prediction log goes with its pod. Name a claim that all pods can write to (--log-claim) to keep it."
_KEPT = "The prediction log is kept in the claim {claim}; it must be writable from every node (ReadWriteMany)."


_ARGO = """\
# It needs the controller of Argo Rollouts, and Prometheus scraping the pods' /metrics; where Prometheus is, the AnalysisTemplates
# say in their argument prometheus. Without a traffic router in front, shares are those of pods. Once: delete a Deployment {slug}.
# Not in here, as pods have no figure or Argo no step for it: {left_out}.
"""


def export_manifests(deployed: Deployed, form: str, path: Path, plan: Plan | None = None) -> list[str]:
    """Write the objects to a file, whole or not at all; returns their kinds.

    Parameters
    ----------
    plan
        The way to all requests, for the form ``argo``.

    Raises
    ------
    ConfigError
        If the form is none of :data:`FORMS`, or the image's name is none; if ``argo`` has no plan, or one whose guards no
        pod has a figure for.
    ModelyardError
        If the file cannot be written.
    """
    if form not in FORMS:
        raise ConfigError(
            "there is no export of that name",
            where="modelyard export",
            got=repr(form),
            cure=f"Choose one of: {', '.join(FORMS)}",
        )
    require_image_name(deployed.image, "--image")
    objects = _objects(deployed, form, plan)
    manifest = deployed.package.manifest
    head = _HEAD.format(
        modelyard=__version__,
        digest=manifest.digest,
        slug=deployed.name,
        log=_LOST if deployed.log_claim is None else _KEPT.format(claim=deployed.log_claim),
        file=path.name,
    )
    if plan is not None and form == "argo":
        head += _ARGO.format(slug=deployed.name, left_out=", ".join(left_out(plan)) or "nothing")
    write_atomic(path, head + yaml.dump_all(objects, Dumper=_Plain, sort_keys=False, allow_unicode=True))
    return [str(thing["kind"]) for thing in objects]


def _objects(deployed: Deployed, form: str, plan: Plan | None) -> list[dict[str, Any]]:
    """The objects of a form."""
    if form == "kubernetes":
        return manifests(deployed)
    if form == "kserve":
        return [inference_service(deployed)]
    if plan is None:
        raise ConfigError(
            "a rollout needs the steps of a project file",
            where="modelyard export argo",
            cure="Run it in the project, or name it: --project FOLDER",
        )
    return rollout_objects(deployed, plan)


def manifest_file(package: Package, form: str) -> Path:
    """Where manifests go if nobody says otherwise: in the current folder."""
    return Path(f"{image_name(package)}-{package.manifest.version}-{form}.yaml")


class _Plain(yaml.SafeDumper):
    """Writes shared parts out in full: people read the file, and not every reader knows YAML's anchors."""

    def ignore_aliases(self, _data: object) -> bool:
        """True: no anchors."""
        return True
