"""The steps of the project file as a Rollout of Argo Rollouts, which takes the Deployment's place."""

from collections.abc import Iterator
from typing import Any

from modelyard.rollout import Plan
from modelyard.rollout.records import Step, StepKind
from modelyard.shipping.kubernetes.analysis import analysis_name, analysis_template, not_looked_at, watching_name
from modelyard.shipping.kubernetes.manifests import manifests
from modelyard.shipping.kubernetes.workload import Deployed, metadata

__all__ = ["left_out", "rollout_objects"]

_API = "argoproj.io/v1alpha1"
_ALWAYS_ON = "guard"


def rollout_objects(deployed: Deployed, plan: Plan) -> list[dict[str, Any]]:
    """A Rollout with the steps of a plan, what its analyses ask Prometheus, and the Service, autoscaler and budget around it.

    Raises
    ------
    ConfigError
        If an analysis looks at nothing that the pods tell Prometheus.
    """
    deployment, service, autoscaler, budget = manifests(deployed)
    rollout = {
        **deployment,
        "apiVersion": _API,
        "kind": "Rollout",
        "spec": {**deployment["spec"], "strategy": {"canary": _canary(deployed, plan)}},
    }
    target = {"apiVersion": _API, "kind": "Rollout", "name": deployed.name}
    scaled = {**autoscaler, "spec": {**autoscaler["spec"], "scaleTargetRef": target}}
    return [rollout, service, scaled, budget, *_templates(deployed, plan)]


def left_out(plan: Plan) -> tuple[str, ...]:
    """What of a plan this form has no place for, each in a few words."""
    steps = ["the step in shadow"] if any(step.kind is StepKind.SHADOW for step in plan.steps) else []
    keys = [f"one version for each {plan.key}"] if plan.key is not None else []
    names = {step.analysis for step in plan.steps if step.kind is StepKind.ANALYSIS} | {_ALWAYS_ON}
    rules = [rule for rule in plan.analyses if rule.name in names]
    return tuple(dict.fromkeys([*steps, *keys, *(words for rule in rules for words in not_looked_at(rule))]))


def _canary(deployed: Deployed, plan: Plan) -> dict[str, Any]:
    """The steps, and the guards that are at work from the first one on, in pauses too."""
    return {
        "maxUnavailable": 0,
        "maxSurge": 1,
        "analysis": {"startingStep": 1, **_asked(deployed, watching_name(deployed))},
        "steps": list(_steps(deployed, plan)),
    }


def _steps(deployed: Deployed, plan: Plan) -> Iterator[dict[str, Any]]:
    for step in plan.steps:
        if step.kind is StepKind.WEIGHT:
            yield {"setWeight": step.weight}
        elif step.kind is StepKind.PAUSE:
            yield {"pause": _pause(step)}
        elif step.kind is StepKind.ANALYSIS:
            yield {"analysis": _asked(deployed, analysis_name(deployed, step.analysis))}


def _pause(step: Step) -> dict[str, Any]:
    """So many seconds, or until somebody promotes."""
    return {} if step.duration_s is None else {"duration": f"{step.duration_s:.0f}s"}


def _asked(deployed: Deployed, template: str) -> dict[str, Any]:
    """An analysis of the version that is rolled out, found by its package's digest."""
    digest = {"name": "digest", "value": deployed.package.manifest.digest}
    return {"templates": [{"templateName": template}], "args": [digest]}


def _templates(deployed: Deployed, plan: Plan) -> Iterator[dict[str, Any]]:
    """The analyses that steps name, and the one that is always at work, which never ends by itself."""
    used = {step.analysis for step in plan.steps if step.kind is StepKind.ANALYSIS}
    for rule in plan.analyses:
        if rule.name in used:
            name = analysis_name(deployed, rule.name)
            yield _template(deployed, name, analysis_template(deployed, rule))
        if rule.name == _ALWAYS_ON:
            yield _template(deployed, watching_name(deployed), analysis_template(deployed, rule, is_endless=True))


def _template(deployed: Deployed, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": _API,
        "kind": "AnalysisTemplate",
        "metadata": {**metadata(deployed), "name": name},
        "spec": spec,
    }
