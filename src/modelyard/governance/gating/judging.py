"""The gates: what the policy asks of a version against what there is."""

import dataclasses
import datetime as dt
from collections.abc import Iterator

from modelyard.governance.conditions import ConditionState
from modelyard.governance.gating.records import Evidence, GateAnswer, GateDecision
from modelyard.governance.records import Approval, ModelVersion
from modelyard.governance.roles import roles_that_may
from modelyard.governance.standing import Staging, Validation
from modelyard.problem.schema import Policy

__all__ = ["APPROVALS", "CONDITIONS", "STAGING", "Standing", "judge"]

APPROVALS = "approvals"
"""The gate for which people are waited; without its yes the answer is not no but not yet."""

CONDITIONS = "conditions"
"""The gate of what approvals ask for besides."""

STAGING = "staging"
"""The gate that is asked last: a version is tried when people have said yes."""

_TO_CALLERS = ("deploy", "promote")
"""Steps after which callers get a version's answers, or some of them."""


@dataclasses.dataclass(frozen=True)
class Standing:
    """What people and alerts say of a version at this moment.

    Parameters
    ----------
    approvals
        Those that count.
    void
        Why others do not, in a few words each.
    validation
        The latest that holds for these bytes and this policy; None if there is none.
    open_alerts
        How many are open on this version; None if nobody watches.
    conditions
        Those of the approvals that count, with what there is.
    staging
        How it did in staging when it last was there; None if it never was.
    """

    approvals: tuple[Approval, ...]
    void: tuple[str, ...]
    validation: Validation | None
    open_alerts: int | None
    conditions: tuple[ConditionState, ...] = ()
    staging: Staging | None = None


def judge(
    version: ModelVersion, policy: Policy, evidence: Evidence, standing: Standing, step: str, at: dt.datetime
) -> GateDecision:
    """Every gate that the tier, or the project file in its place, asks for.

    Parameters
    ----------
    step
        ``approve``: what the version must show; ``stage``: and who must have said yes; ``deploy``: and how it did in staging,
        under conditions that the rollout will meet; ``promote``: likewise, under conditions that are met.
    """
    gates = [*_shown(policy, evidence), *_watched(version, policy, standing)]
    if step in _TO_CALLERS and policy.rules.staging:
        gates.append(_staged(version, standing))
    if step != "approve":
        gates.append(_approved(version, policy, standing))
    if step in _TO_CALLERS:
        gates += _conditions(version, standing, step)
    return GateDecision(
        version.subject, version.digest, step, policy.tier, policy.digest, tuple(gates), policy.looser, at
    )


def _shown(policy: Policy, evidence: Evidence) -> Iterator[GateAnswer]:
    """What the bytes must show."""
    rules = policy.rules
    if rules.tests:
        got = "; ".join(evidence.failed) or "all passed"
        cure = "Run: modelyard package verify PATH, then mend and package again"
        yield _answer("tests", "every check of the package", got, not evidence.failed, cure)
    if rules.opened_test:
        got = "the sealed test part" if evidence.opened_test else "rows on which choices were made"
        cure = 'Run: modelyard evaluate --open-test "...", then package and register again'
        yield _answer("opened_test", "figures from the sealed test part", got, evidence.opened_test, cure)
    if rules.card:
        got = f"{evidence.card:.0%}" + (f", without {', '.join(evidence.empty)}" if evidence.empty else "")
        cure = "Fill these fields in the project file, then package and register again"
        yield _answer("card", f"{rules.card:.0%} of the card", got, evidence.card >= rules.card, cure)
    if rules.group_gap is not None:
        yield _gap(rules.group_gap, evidence)


def _gap(most: float, evidence: Evidence) -> GateAnswer:
    """Groups of protected columns; what cannot be told is no yes, unless the task has no such rates."""
    wanted = f"rates of groups at most {most:.0%} apart"
    if not evidence.gap_applies:
        return GateAnswer("group_gap", wanted, "this task has no such rates", passed=True)
    if evidence.gap is None:
        cure = "Declare 'protected' in the project file, or set policy.gates.group_gap: null, which every decision will name"
        return GateAnswer("group_gap", wanted, evidence.gap_words, passed=False, cure=cure)
    got = f"{evidence.gap:.1%} ({evidence.gap_words})"
    cure = "Look at the groups on the card; train with other features, more rows of the group, or another threshold"
    return _answer("group_gap", wanted, got, evidence.gap <= most, cure)


def _watched(version: ModelVersion, policy: Policy, standing: Standing) -> Iterator[GateAnswer]:
    """What a validator and the alerts say."""
    rules = policy.rules
    if rules.validation:
        found = standing.validation
        got = "none" if found is None else f"{found.validator}: {found.reason}"
        cure = f'Somebody who is {roles_that_may("validate")} runs: modelyard validate {version.version} --reason "..."'
        passed = found is not None and found.holds
        yield _answer("validation", "a validator who says that it holds", got, passed, cure)
    if rules.open_alerts is not None:
        count = standing.open_alerts
        got = "not watched" if count is None else str(count)
        cure = "Look at them: modelyard alerts"
        wanted = f"at most {rules.open_alerts} open alerts on this version"
        yield _answer("open_alerts", wanted, got, (count or 0) <= rules.open_alerts, cure)


def _staged(version: ModelVersion, standing: Standing) -> GateAnswer:
    """Whether it has answered on an address of its own, these very bytes, the last time that it was tried."""
    found = standing.staging
    got = "it was not there yet" if found is None else found.said
    cure = f"Run: modelyard deploy {version.version} --stage staging"
    return _answer(STAGING, "right answers in staging", got, found is not None and found.passed, cure)


def _approved(version: ModelVersion, policy: Policy, standing: Standing) -> GateAnswer:
    """Who has said yes; those who did and do not count are told with the reason."""
    wanted, count = policy.rules.approvals, len(standing.approvals)
    got = f"{count} of {wanted} approvals" + "".join(f"; {why}" for why in standing.void)
    cure = f'Somebody who is {roles_that_may("approve")} runs: modelyard approve {version.version} --reason "..."'
    return _answer(APPROVALS, "1 approval" if wanted == 1 else f"{wanted} approvals", got, count >= wanted, cure)


def _conditions(version: ModelVersion, standing: Standing, step: str) -> Iterator[GateAnswer]:
    """What the approvals ask for besides; not asked where they ask for nothing."""
    states = standing.conditions
    if not states:
        return
    missing = [state for state in states if not state.met]
    wanted = ", ".join(f"{state.text} ({state.by})" for state in states)
    got = ", ".join(dict.fromkeys(state.got for state in missing or states))
    cure = f"Run: modelyard deploy {version.version}, with steps under deploy.strategy that last long enough"
    if step == "deploy":
        got, cure = f"by the plan {got}", "Give deploy.strategy steps that meet it: shadow.duration, or canary.steps"
    yield _answer(CONDITIONS, wanted, got, not missing, cure)


def _answer(gate: str, wanted: str, got: str, passed: bool, cure: str) -> GateAnswer:
    return GateAnswer(gate, wanted, got, passed, "" if passed else cure)
