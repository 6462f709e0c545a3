"""Building a package: compile, prove parity, measure, fill the card, publish whole or not at all."""

import dataclasses
import datetime as dt
import functools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.audit.records import AuditReport
from modelyard.conformal import ConformalRule
from modelyard.core import StateError
from modelyard.data import ReferenceProfile, Roles, Split, assign_roles, derive_contract
from modelyard.evaluation.records import Evaluation
from modelyard.features import OWN_FILE, FeatureEntry, catalogue
from modelyard.packaging.card import CardFacts, CardSource, ModelCard, fill_card
from modelyard.packaging.compile import compile_model
from modelyard.packaging.finishing import (
    BuildDetails,
    Content,
    Draft,
    Origin,
    logged_scores,
    own_answers_tell_more,
    prove_rows,
    reference_of,
    requirements_of,
    scoring_files,
    types_of,
)
from modelyard.packaging.golden import Parity
from modelyard.packaging.golden_rows import make_golden_set
from modelyard.packaging.manifest import CONFORMAL_FILE
from modelyard.packaging.package import Package
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import Predictor
from modelyard.packaging.runbooks import runbook_files
from modelyard.problem import Problem
from modelyard.training.model import FittedModel
from modelyard.training.run import StoredRun

__all__ = ["BuildDetails", "build_package"]


def build_package(
    run: StoredRun,
    split: Split,
    evaluation: Evaluation,
    audit: AuditReport | None,
    problem: Problem,
    *,
    version: str,
    folder: Path,
    details: BuildDetails | None = None,
) -> Package:
    """Build, verify and publish a package under ``folder``.

    What is proved before anything appears there: the scorer, loaded from the very files, gives the training
    pipeline's answers on the golden rows as requests and on the validation part as a table; and the declared limits
    on latency, throughput, memory and size are kept.

    Parameters
    ----------
    run
        Its final model is packaged.
    split
        What the run was trained on. The sealed part is not touched.
    evaluation
        Of this run; gives the threshold and the card's figures.
    audit
        Its findings become limits on the card.
    problem
        Names the model and its limits.
    version
        What the registry will call it.
    folder
        Where the package shall lie; must not exist.
    details
        See :class:`BuildDetails`.

    Raises
    ------
    StateError
        If the evaluation is of another run, the run of another split, the estimator has no native form, or
        ``folder`` exists.
    GateRefusedError
        If parity fails or a limit is exceeded; nothing is published then.
    """
    _check_origin(run, split, evaluation)
    return _Draft(split, problem, version, details or BuildDetails(), run, evaluation, audit).publish(folder)


@dataclasses.dataclass(frozen=True)
class _Draft(Draft):
    """The winner of a run, in two forms: as training has it, and native."""

    run: StoredRun
    evaluation: Evaluation
    audit: AuditReport | None

    @property
    def origin(self) -> Origin:
        """As the run has it."""
        record = self.run.record
        return Origin(record.dataset_id, record.split_id, record.id)

    @property
    def requirements(self) -> dict[str, str]:
        """Of the native form."""
        return requirements_of(*self._native)

    @property
    def skops(self) -> tuple[str, ...]:
        """Of an estimator without a native form."""
        return types_of(self._native[1])

    def files(self, created_at: dt.datetime) -> dict[str, Content]:
        """The files of rows, the runbooks, and what an estimator or an evaluation of this kind adds."""
        columns, (plan, predictor) = self.run.record.columns, self._native
        contract = derive_contract(self.split.development, self._roles, self.problem.data)
        golden = make_golden_set(
            self._model, self._rows, columns, contract, tolerance=predictor.tolerance, seed=self.problem.training.seed
        )
        files = scoring_files(plan, predictor, columns, contract, golden, self._reference(), created_at)
        files |= runbook_files(self.problem)
        if self._model.encoder.own is not None:
            files[OWN_FILE] = self._model.encoder.own.source
        sure = _how_sure(self.evaluation)
        if sure is not None:
            files[CONFORMAL_FILE] = sure.to_dict()
        return files

    def prove(self, place: Path) -> tuple[Parity, Parity]:
        """On the golden rows and the validation part."""
        return prove_rows(place, self._native[1], self._rows, self._model.predict)

    def features(self) -> tuple[FeatureEntry, ...]:
        """Of the encoded columns, and of those left out."""
        plan = self._native[0]
        return catalogue(
            plan.encodings,
            self._roles,
            own=plan.own,
            own_digest=plan.own_digest,
            selection=self.run.record.selection,
            plan=self.problem.features,
        )

    def card(self, facts: CardFacts) -> ModelCard:
        """Filled from run, evaluation and audit."""
        return fill_card(facts, CardSource(self.run.record, self.evaluation, self.audit, self._native[0]))

    def metrics(self) -> dict[str, Any]:
        """Those of the evaluation."""
        return _metrics(self.evaluation)

    @functools.cached_property
    def _model(self) -> FittedModel:
        return self.run.model("final")

    @functools.cached_property
    def _native(self) -> tuple[ScoringPlan, Predictor]:
        choice = self.evaluation.threshold
        return compile_model(self._model, choice.value if choice else None)

    @functools.cached_property
    def _roles(self) -> Roles:
        return assign_roles(self.problem, self.split.train.schema)

    @property
    def _rows(self) -> pl.DataFrame:
        """Rows on which model and scorer are compared: the validation part, if there is one."""
        return self.split.validation.frame if self.split.validation.frame.height else self.split.train.frame

    def _reference(self) -> ReferenceProfile:
        """Features of the training rows, and what is usually said of such rows."""
        train, time = self.split.train.frame, self.problem.data.time
        moments = train[time] if time is not None else None
        predictions, rows = self._usual_answers()
        return reference_of(
            train,
            self.run.record.columns,
            predictions,
            self._model.classes,
            moments=moments,
            predicted_at=None if moments is None else moments.filter(rows),
            minimum_tolerance=self.problem.monitoring.tolerance,
        )

    def _usual_answers(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Answers about training rows, and which rows: the model's own, or those of the folds' models if they tell more."""
        train, validation = self.split.train.frame, self.split.validation.frame
        held_out = self.run.out_of_fold(self.run.record.winner)
        rows = np.isfinite(logged_scores(held_out))
        if rows.any():
            if not validation.height:
                return held_out[rows], rows
            development = self.run.model("development")
            own, unseen = (logged_scores(development.predict(part)) for part in (train, validation))
            if not own_answers_tell_more(own, logged_scores(held_out[rows]), unseen):
                return held_out[rows], rows
        return self._model.predict(train), np.ones(train.height, dtype=np.bool_)


def _check_origin(run: StoredRun, split: Split, evaluation: Evaluation) -> None:
    """Refuse parts that do not belong together."""
    record = run.record
    if evaluation.run_id != record.id:
        raise StateError(
            "the evaluation is of another run",
            where=f"run {record.id}",
            got=f"run {evaluation.run_id}",
            cure="Run `modelyard evaluate` again, then package",
        )
    if record.split_id != split.record.id:
        raise StateError(
            "the run was trained on another split",
            where=f"run {record.id}",
            got=f"split {record.split_id} instead of {split.record.id}",
            cure="Run `modelyard train` again, then evaluate and package",
        )


def _how_sure(evaluation: Evaluation) -> ConformalRule | None:
    """What the package says beside a prediction: an interval or a set, and quantiles; None if it says neither."""
    said = evaluation.regions.rule if evaluation.regions else None
    if evaluation.quantiles is None or evaluation.quantiles.rule is None:
        return said
    return dataclasses.replace(said or ConformalRule(None), quantiles=evaluation.quantiles.rule)


def _metrics(evaluation: Evaluation) -> dict[str, Any]:
    """``metrics.json``: the figures for machines, but for what was proved and measured of the package."""
    return {
        "metric": evaluation.metric,
        "measured_on": evaluation.measured_on,
        "confidence": evaluation.confidence,
        "openings": evaluation.openings,
        "threshold": evaluation.threshold.to_dict() if evaluation.threshold else None,
        "validation": [system.to_dict() for system in evaluation.validation],
        "test": [system.to_dict() for system in evaluation.test],
        "regions": evaluation.regions.to_dict() if evaluation.regions else None,
        "quantiles": evaluation.quantiles.to_dict() if evaluation.quantiles else None,
        "guardrails": [guardrail.to_dict() for guardrail in evaluation.guardrails],
    }
