"""Filling the card: everything the software knows by itself, and a list of what only a person can say."""

import dataclasses

from modelyard.audit.records import AuditReport
from modelyard.core import Finding, Severity
from modelyard.evaluation.records import Evaluation
from modelyard.packaging.card.facts import CardFacts, data_of, identity_of, not_provided, operation_of, use_of
from modelyard.packaging.card.limitations import disparities_of, limitations_of
from modelyard.packaging.card.record import (
    CARD_PROTOCOL,
    CandidateLine,
    CardMethod,
    CardPerformance,
    ModelCard,
    TestOpening,
)
from modelyard.packaging.manifest import Manifest
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import SkopsPredictor
from modelyard.problem import Problem, Task
from modelyard.training.records import TrainingRun

__all__ = ["CardSource", "fill_card"]


@dataclasses.dataclass(frozen=True)
class CardSource:
    """What the card of a model that predicts a target is filled from, beside the :class:`CardFacts` of every package.

    Parameters
    ----------
    run, evaluation, audit
        Of the model; the audit if there is one.
    plan
        What the package computes.
    """

    run: TrainingRun
    evaluation: Evaluation
    audit: AuditReport | None
    plan: ScoringPlan


def fill_card(facts: CardFacts, source: CardSource) -> ModelCard:
    """The card, with every field that a person left empty listed under ``not_provided``."""
    run, evaluation = source.run, source.evaluation
    return ModelCard(
        protocol=CARD_PROTOCOL,
        identity=identity_of(facts, run.task, run.target, run.classes),
        use=use_of(facts, _decision(source)),
        data=data_of(facts),
        method=_method(source),
        performance=_performance(evaluation, facts.problem),
        openings_count=evaluation.openings,
        openings=_openings(facts, evaluation),
        limitations=limitations_of(
            evaluation,
            [
                ("audit", source.audit.findings if source.audit else ()),
                ("split", facts.split.findings),
                ("evaluation", evaluation.findings),
                ("packaging", _packaging(facts.manifest, source.plan)),
            ],
        ),
        decisions=facts.decisions,
        operation=operation_of(facts),
        environment=dict(run.environment),
        not_provided=not_provided(facts, _asked(facts.problem)),
    )


def _decision(source: CardSource) -> str:
    """What an answer looks like."""
    plan, target = source.plan, source.run.target
    if plan.task is Task.BINARY:
        positive = plan.classes[1]
        return (
            f"Gives the probability that {target} is {positive!r}, and calls a row {positive!r} from "
            f"{0.5 if plan.threshold is None else plan.threshold:.4g} on."
        )
    if plan.task is Task.MULTICLASS:
        return f"Gives the probability of each of {len(plan.classes)} classes of {target}, and the likeliest one."
    return f"Gives an estimate of {target}."


def _method(source: CardSource) -> CardMethod:
    run = source.run
    winner = run.candidate(run.winner)
    return CardMethod(
        family=winner.family,
        params=dict(winner.params),
        why=run.why,
        metric=run.metric,
        folds=run.folds,
        fold_strategy=run.fold_strategy,
        seed=run.seed,
        features=source.plan.features,
        candidates=tuple(
            CandidateLine(
                candidate.name,
                candidate.family,
                candidate.role.value,
                candidate.status.value,
                candidate.mean,
                candidate.sd,
            )
            for candidate in run.candidates
        ),
    )


def _performance(evaluation: Evaluation, problem: Problem) -> CardPerformance:
    return CardPerformance(
        metric=evaluation.metric,
        measured_on=evaluation.measured_on,
        confidence=evaluation.confidence,
        validation=evaluation.validation,
        test=evaluation.test,
        comparisons=evaluation.comparisons,
        guardrails=evaluation.guardrails,
        segments=evaluation.segments,
        disparities=disparities_of(evaluation.segments),
        importance=evaluation.importance,
        threshold=evaluation.threshold,
        costs={name: value for name, value in problem.costs.model_dump().items() if value is not None},
        money=evaluation.money,
    )


def _openings(facts: CardFacts, evaluation: Evaluation) -> tuple[TestOpening, ...]:
    """Those that were handed in; else the one that the evaluation knows."""
    account = evaluation.account
    if facts.openings or account.opened_at is None:
        return facts.openings
    return (TestOpening(account.opened_at, account.opened_by, account.reason),)


def _packaging(manifest: Manifest, plan: ScoringPlan) -> tuple[Finding, ...]:
    """What follows from how the model is kept."""
    if plan.predictor != SkopsPredictor.kind and not manifest.skops:
        return ()
    return (
        Finding(
            id="no-native-form",
            severity=Severity.WARNING,
            subject=plan.predictor,
            message="The estimator has no native form and is kept by skops.",
            why="Reading it makes objects from a file, and every request calls the estimator itself, which is slow.",
            action=f"Serve it with --allow-skops {','.join(manifest.skops) or 'known'}, or choose another family.",
            row="K2",
        ),
    )


def _asked(problem: Problem) -> dict[str, bool]:
    """What else is asked of a model that predicts a target, and whether it was told."""
    costs = problem.costs
    priced = costs.has_matrix or costs.per_error is not None or costs.per_unit_error is not None
    return {"performance: costs": priced, "performance: existing system": problem.existing_system.is_declared}
