"""What the mirror should show: versions, tags and aliases, as the registry has them now."""

from collections.abc import Sequence

from modelyard.governance import ModelVersion, Registry, Stage
from modelyard.oversight.mirroring.protocol import PREFIX
from modelyard.oversight.mirroring.records import Shown, ShownVersion
from modelyard.problem import Problem

__all__ = ["wanted"]


def wanted(registry: Registry, problem: Problem) -> Shown:
    """The model as the registry has it.

    ``champion`` is in production, ``shadow`` in shadow; ``challenger`` is the canary, else the newest version after the champion that
    is approved or waits for approval.
    """
    known = registry.versions(problem.name)
    shown = {str(version.version): _shown(registry, problem, version) for version in known}
    return Shown(shown, _aliases(known))


def _aliases(known: Sequence[ModelVersion]) -> dict[str, str]:
    by_stage = {version.stage: version.version for version in known}
    champion = by_stage.get(Stage.PRODUCTION)
    waiting = [
        version.version
        for version in known
        if (version.stage is Stage.CANDIDATE or version.stage.is_waiting) and version.version > (champion or 0)
    ]
    challenger = by_stage.get(Stage.CANARY) or max(waiting, default=None)
    found = {"champion": champion, "challenger": challenger, "shadow": by_stage.get(Stage.SHADOW)}
    return {alias: str(number) for alias, number in found.items() if number is not None}


def _shown(registry: Registry, problem: Problem, version: ModelVersion) -> ShownVersion:
    approvals = registry.approvals(version.name, version.version)
    tags = {
        "version": str(version.version),
        "digest": version.digest,
        "stage": version.stage.value,
        "tier": problem.policy.tier,
        "run": version.run_id,
        "author": version.author,
        "approvals": ", ".join(f"{item.approver} {item.at:%Y-%m-%d}" for item in approvals) or "none",
    }
    said = problem.objective.strip() or f"Predicts {problem.data.target or 'nothing that was named'}."
    description = f"{said}\n\nVersion {version.version} of {version.name}. The model card is among the artefacts: package/card.md."
    return ShownVersion({f"{PREFIX}{name}": value for name, value in tags.items()}, description, version.digest)
