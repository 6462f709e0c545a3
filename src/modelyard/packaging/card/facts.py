"""What every card says, whatever the model learnt: whose it is, what it was made from, how it runs, what nobody has filled in."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from modelyard.data import SplitRecord
from modelyard.features import FeatureEntry
from modelyard.packaging.card.record import (
    CardData,
    CardIdentity,
    CardOperation,
    CardUse,
    DecisionNote,
    TestOpening,
)
from modelyard.packaging.golden import Parity
from modelyard.packaging.latency import Measurement
from modelyard.packaging.manifest import Manifest
from modelyard.problem import Problem, Task

__all__ = ["CardFacts", "data_of", "identity_of", "not_provided", "operation_of", "use_of"]


@dataclasses.dataclass(frozen=True)
class CardFacts:
    """What is known of every package when its card is filled.

    Parameters
    ----------
    manifest
        Name, version, author and origin; its digest is not used, since it covers the card.
    features
        The feature catalogue.
    parity, parity_on_table
        On the golden rows, and on rows as one table; of a forecast both are of its golden histories.
    model_mb
        Size of the package without the card.
    openings, decisions
        As the ledger has them.
    """

    problem: Problem
    split: SplitRecord
    manifest: Manifest
    features: tuple[FeatureEntry, ...]
    parity: Parity
    parity_on_table: Parity
    measurement: Measurement
    model_mb: float
    openings: tuple[TestOpening, ...]
    decisions: tuple[DecisionNote, ...]

    def figures(self) -> dict[str, Any]:
        """What was proved and measured, as ``metrics.json`` has it."""
        return {
            "parity": self.parity.to_dict(),
            "parity_on_table": self.parity_on_table.to_dict(),
            "measurement": self.measurement.to_dict(),
            "size_mb": self.model_mb,
        }


def identity_of(facts: CardFacts, task: Task, target: str, classes: tuple[str, ...]) -> CardIdentity:
    """Which model this is, whose, and where it came from."""
    manifest, problem = facts.manifest, facts.problem
    return CardIdentity(
        name=manifest.name,
        version=manifest.version,
        task=task.value,
        target=target,
        classes=classes,
        created_at=manifest.created_at,
        author=manifest.author,
        owner=problem.owner,
        contact=problem.contact,
        escalation=problem.escalation,
        modelyard_version=manifest.modelyard_version,
        code_commit=manifest.code_commit,
        run_id=manifest.run_id,
    )


def use_of(facts: CardFacts, decision: str) -> CardUse:
    """The objective as declared, and what an answer looks like."""
    problem = facts.problem
    return CardUse(problem.objective, decision, problem.users, problem.out_of_scope)


def data_of(facts: CardFacts) -> CardData:
    """Where the rows are from, how they were divided, and what became of their columns."""
    declared, split = facts.problem.data, facts.split
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
        features=facts.features,
        protected=facts.problem.protected,
    )


def operation_of(facts: CardFacts) -> CardOperation:
    """What was proved and measured, and how the model shall be watched."""
    problem = facts.problem
    return CardOperation(
        parity=facts.parity,
        parity_on_table=facts.parity_on_table,
        measurement=facts.measurement,
        model_mb=facts.model_mb,
        constraints=problem.constraints.model_dump(),
        monitoring=problem.monitoring.model_dump(),
        retraining=problem.retraining.model_dump(),
    )


def not_provided(facts: CardFacts, also: Mapping[str, bool] | None = None) -> tuple[str, ...]:
    """Fields that only a person can fill, and nobody has.

    Parameters
    ----------
    also
        What else is asked of a model of this kind, and whether it was told.
    """
    problem = facts.problem
    told: Mapping[str, Any] = {
        "identity: owner": problem.owner,
        "identity: contact": problem.contact,
        "identity: escalation": problem.escalation,
        "identity: code commit": facts.manifest.code_commit,
        "use: objective": problem.objective,
        "use: users": problem.users,
        "use: out of scope": problem.out_of_scope,
        "data: collection": problem.data.collection,
        "data: known biases": problem.data.known_biases,
        "data: protected columns": problem.protected,
        **(also or {}),
        "decisions": facts.decisions,
    }
    return tuple(name for name, value in told.items() if not value)
