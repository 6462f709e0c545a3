"""Filling the card: everything the software knows by itself, and a list of what only a person can say."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from modelyard.audit.records import AuditReport
from modelyard.core import Finding, Severity
from modelyard.data import SplitRecord
from modelyard.evaluation.records import Evaluation
from modelyard.features import FeatureEntry
from modelyard.packaging.card.limitations import disparities_of, limitations_of
from modelyard.packaging.card.record import (
    CARD_PROTOCOL,
    CandidateLine,
    CardData,
    CardIdentity,
    CardMethod,
    CardOperation,
    CardPerformance,
    CardUse,
    DecisionNote,
    ModelCard,
    TestOpening,
)
from modelyard.packaging.golden import Parity
from modelyard.packaging.latency import Measurement
from modelyard.packaging.manifest import Manifest
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import SkopsPredictor
from modelyard.problem import Problem, Task
from modelyard.training.records import TrainingRun

__all__ = ["CardSource", "fill_card"]


@dataclasses.dataclass(frozen=True)
class CardSource:
    """All that a card is filled from.

    Parameters
    ----------
    manifest
        Name, version, author and origin; its digest is not used, since it covers the card.
    plan, features
        What the package computes, and the feature catalogue.
    parity, parity_on_table
        On the golden rows, and on the validation part as one table.
    model_mb
        Size of the package without the card.
    openings, decisions
        As the ledger has them.
    """

    problem: Problem
    run: TrainingRun
    split: SplitRecord
    evaluation: Evaluation
    audit: AuditReport | None
    manifest: Manifest
    plan: ScoringPlan
    features: tuple[FeatureEntry, ...]
    parity: Parity
    parity_on_table: Parity
    measurement: Measurement
    model_mb: float
    openings: tuple[TestOpening, ...]
    decisions: tuple[DecisionNote, ...]


def fill_card(source: CardSource) -> ModelCard:
    """The card, with every field that a person left empty listed under ``not_provided``."""
    identity, use, data = _identity(source), _use(source), _data(source)
    return ModelCard(
        protocol=CARD_PROTOCOL,
        identity=identity,
        use=use,
        data=data,
        method=_method(source),
        performance=_performance(source),
        openings_count=source.evaluation.openings,
        openings=_openings(source),
        limitations=limitations_of(
            source.evaluation,
            [
                ("audit", source.audit.findings if source.audit else ()),
                ("split", source.split.findings),
                ("evaluation", source.evaluation.findings),
                ("packaging", _packaging(source)),
            ],
        ),
        decisions=source.decisions,
        operation=_operation(source),
        environment=dict(source.run.environment),
        not_provided=_not_provided(identity, use, data, source),
    )


def _identity(source: CardSource) -> CardIdentity:
    manifest, problem = source.manifest, source.problem
    return CardIdentity(
        name=manifest.name,
        version=manifest.version,
        task=source.run.task.value,
        target=source.run.target,
        classes=source.run.classes,
        created_at=manifest.created_at,
        author=manifest.author,
        owner=problem.owner,
        contact=problem.contact,
        escalation=problem.escalation,
        modelyard_version=manifest.modelyard_version,
        code_commit=manifest.code_commit,
        run_id=source.run.id,
    )


def _use(source: CardSource) -> CardUse:
    """The objective as declared, and what an answer looks like."""
    plan, target = source.plan, source.run.target
    if plan.task is Task.BINARY:
        positive = plan.classes[1]
        decision = (
            f"Gives the probability that {target} is {positive!r}, and calls a row {positive!r} from "
            f"{0.5 if plan.threshold is None else plan.threshold:.4g} on."
        )
    elif plan.task is Task.MULTICLASS:
        decision = f"Gives the probability of each of {len(plan.classes)} classes of {target}, and the likeliest one."
    else:
        decision = f"Gives an estimate of {target}."
    problem = source.problem
    return CardUse(problem.objective, decision, problem.users, problem.out_of_scope)


def _data(source: CardSource) -> CardData:
    declared, split = source.problem.data, source.split
    return CardData(
        source=declared.source,
        dataset_id=split.dataset_id,
        train_rows=split.train_rows,
        validation_rows=split.validation_rows,
        test_rows=split.test_rows,
        split=split.strategy,
        split_reason=split.reason,
        split_id=split.id,
        test_digest=split.test_digest,
        collection=declared.collection,
        known_biases=declared.known_biases,
        features=source.features,
        protected=source.problem.protected,
    )


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


def _performance(source: CardSource) -> CardPerformance:
    evaluation = source.evaluation
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
        costs={name: value for name, value in source.problem.costs.model_dump().items() if value is not None},
        money=evaluation.money,
    )


def _openings(source: CardSource) -> tuple[TestOpening, ...]:
    """Those that were handed in; else the one that the evaluation knows."""
    account = source.evaluation.account
    if source.openings or account.opened_at is None:
        return source.openings
    return (TestOpening(account.opened_at, account.opened_by, account.reason),)


def _packaging(source: CardSource) -> tuple[Finding, ...]:
    """What follows from how the model is kept."""
    if source.plan.predictor != SkopsPredictor.kind and not source.manifest.skops:
        return ()
    return (
        Finding(
            id="no-native-form",
            severity=Severity.WARNING,
            subject=source.plan.predictor,
            message="The estimator has no native form and is kept by skops.",
            why="Reading it makes objects from a file, and every request calls the estimator itself, which is slow.",
            action=f"Serve it with --allow-skops {','.join(source.manifest.skops) or 'known'}, or choose another family.",
            row="K2",
        ),
    )


def _operation(source: CardSource) -> CardOperation:
    problem = source.problem
    return CardOperation(
        parity=source.parity,
        parity_on_table=source.parity_on_table,
        measurement=source.measurement,
        model_mb=source.model_mb,
        constraints=problem.constraints.model_dump(),
        monitoring=problem.monitoring.model_dump(),
        retraining=problem.retraining.model_dump(),
    )


def _not_provided(identity: CardIdentity, use: CardUse, data: CardData, source: CardSource) -> tuple[str, ...]:
    """Fields that only a person can fill."""
    wanted: Mapping[str, Any] = {
        "identity: owner": identity.owner,
        "identity: contact": identity.contact,
        "identity: escalation": identity.escalation,
        "identity: code commit": identity.code_commit,
        "use: objective": use.objective,
        "use: users": use.users,
        "use: out of scope": use.out_of_scope,
        "data: collection": data.collection,
        "data: known biases": data.known_biases,
        "data: protected columns": data.protected,
        "performance: costs": source.problem.costs.has_matrix
        or source.problem.costs.per_error is not None
        or source.problem.costs.per_unit_error is not None,
        "performance: existing system": source.problem.existing_system.is_declared,
        "decisions": source.decisions,
    }
    return tuple(name for name, value in wanted.items() if not value)
