"""Building a package: compile, prove parity, measure, fill the card, publish whole or not at all."""

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.audit.records import AuditReport
from modelyard.conformal import ConformalRule
from modelyard.core import (
    Clock,
    StateError,
    atomic_directory,
    system_clock,
)
from modelyard.data import (
    Column,
    ColumnKind,
    ReferenceProfile,
    Roles,
    Split,
    assign_roles,
    build_profile,
    derive_contract,
)
from modelyard.evaluation.records import Evaluation
from modelyard.features import OWN_FILE, catalogue
from modelyard.packaging.card import CardSource, DecisionNote, TestOpening, card_page, fill_card
from modelyard.packaging.compile import compile_model
from modelyard.packaging.finishing import (
    require_limits,
    require_parity,
    requirements_of,
    seal,
    size_mb,
    types_of,
    write_json,
)
from modelyard.packaging.golden import Parity, largest_difference
from modelyard.packaging.golden_rows import make_golden_set
from modelyard.packaging.latency import measure_package
from modelyard.packaging.manifest import CONFORMAL_FILE, PROTOCOL, Manifest
from modelyard.packaging.mlflow_files import mlflow_files
from modelyard.packaging.package import Package, load_package
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import Predictor, SkopsTrust
from modelyard.packaging.runbooks import runbook_files
from modelyard.packaging.scorer import Scorer
from modelyard.packaging.suite import suite_files
from modelyard.problem import Problem
from modelyard.report import render_html, render_markdown
from modelyard.training.model import FittedModel
from modelyard.training.run import StoredRun
from modelyard.version import __version__

__all__ = ["BuildDetails", "build_package"]

SCORE = "score"
"""Name of the model's score in the reference profile, as the prediction log calls it."""

LABEL = "label"
"""Name of the decided label, where it says more than the score; likewise."""

_TABLE_ROWS = 20_000


@dataclasses.dataclass(frozen=True)
class BuildDetails:
    """What the run, the split and the problem do not tell.

    Parameters
    ----------
    author
        Who builds.
    code_commit
        Commit of the user's project.
    ledger_position
        Sequence number of the ledger's last row.
    openings
        Every opening of the test part; by default the one that the evaluation knows.
    decisions
        Decisions on record, for the card.
    clock
        Gives the moment of building.
    """

    author: str = ""
    code_commit: str = ""
    ledger_position: int | None = None
    openings: tuple[TestOpening, ...] = ()
    decisions: tuple[DecisionNote, ...] = ()
    clock: Clock = system_clock


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
    details = details or BuildDetails()
    _check_origin(run, split, evaluation)
    if folder.exists():
        raise StateError("there is a package already", where=str(folder), cure="Packages never change: choose another")
    draft = _Draft(run, split, evaluation, audit, problem, version, details)
    with atomic_directory(folder) as place:
        draft.write(place)
    return load_package(folder)


@dataclasses.dataclass(frozen=True)
class _Draft:
    """What goes into one package."""

    run: StoredRun
    split: Split
    evaluation: Evaluation
    audit: AuditReport | None
    problem: Problem
    version: str
    details: BuildDetails

    def write(self, place: Path) -> None:
        """Everything but the card, then the proofs, then the card with what they showed."""
        created_at = self.details.clock()
        model = self.run.model("final")
        choice = self.evaluation.threshold
        plan, predictor = compile_model(model, choice.value if choice else None)
        roles = assign_roles(self.problem, self.split.train.schema)
        self._write_scoring(place, model, plan, predictor, roles, created_at)
        manifest = self._manifest(plan, predictor, created_at)
        seal(place, manifest)
        # Whoever builds has just written the estimator, and knows it.
        trust = SkopsTrust(manifest.skops)
        scorer = Scorer.load(place, trust)
        parity = scorer.verify_golden()
        on_table = self._parity_on_table(model, scorer)
        require_parity(parity, on_table)
        measurement = measure_package(place, trust)
        source = CardSource(
            problem=self.problem,
            run=self.run.record,
            split=self.split.record,
            evaluation=self.evaluation,
            audit=self.audit,
            manifest=manifest,
            plan=plan,
            features=catalogue(
                plan.encodings,
                roles,
                own=plan.own,
                own_digest=plan.own_digest,
                selection=self.run.record.selection,
                plan=self.problem.features,
            ),
            parity=parity,
            parity_on_table=on_table,
            measurement=measurement,
            model_mb=size_mb(place),
            openings=self.details.openings,
            decisions=self.details.decisions,
        )
        self._write_card(place, source)
        write_json(place / "metrics.json", _metrics(source))
        require_limits(self.problem, measurement, size_mb(place))
        seal(place, manifest)

    def _write_scoring(
        self,
        place: Path,
        model: FittedModel,
        plan: ScoringPlan,
        predictor: Predictor,
        roles: Roles,
        created_at: dt.datetime,
    ) -> None:
        """All that scoring and monitoring need."""
        columns = self.run.record.columns
        contract = derive_contract(self.split.development, roles, self.problem.data)
        rows = self.split.validation.frame if self.split.validation.frame.height else self.split.train.frame
        golden = make_golden_set(
            model, rows, columns, contract, tolerance=predictor.tolerance, seed=self.problem.training.seed
        )
        (place / "model").mkdir()
        for name, content in predictor.to_files().items():
            (place / "model" / name).write_bytes(content)
        if model.encoder.own is not None:
            (place / OWN_FILE).write_bytes(model.encoder.own.source.encode())
        write_json(place / "plan.json", plan.to_dict())
        write_json(place / "contract.json", contract.to_dict())
        write_json(place / "golden.json", golden.to_dict())
        write_json(place / "reference.json", self._reference(model).to_dict())
        (place / "tests").mkdir()
        for name, text in suite_files(contract, plan).items():
            (place / "tests" / name).write_text(text, encoding="utf-8")
        (place / "runbooks").mkdir()
        for name, text in runbook_files(self.problem).items():
            (place / name).write_text(text, encoding="utf-8")
        sure = _how_sure(self.evaluation)
        if sure is not None:
            write_json(place / CONFORMAL_FILE, sure.to_dict())
        requirements = requirements_of(plan, predictor)
        for name, text in mlflow_files(
            plan, columns, contract, requirements=requirements, created_at=created_at
        ).items():
            (place / name).write_text(text, encoding="utf-8")

    def _reference(self, model: FittedModel) -> ReferenceProfile:
        """Features of the training rows, and scores and decisions of rows that the scoring model had not seen."""
        train, columns = self.split.train, self.run.record.columns
        time = self.problem.data.time
        minimum = self.problem.monitoring.tolerance
        moments = train.frame[time] if time is not None else None
        features = build_profile(train.frame, columns, time=moments, minimum_tolerance=minimum)
        predictions = self.run.out_of_fold(self.run.record.winner)
        held_out = np.isfinite(_logged_scores(predictions))
        predictions, held_moments = predictions[held_out], moments.filter(held_out) if moments is not None else None
        if not held_out.any():
            predictions, held_moments = model.predict(train.frame), moments
        decided = _decisions(predictions, model.classes)
        if LABEL in {column.name for column in columns}:
            decided = decided.select([])  # one name cannot stand for a feature and for what was decided
        kinds = [Column(name, ColumnKind.CATEGORY, "String", nullable=False) for name in decided.columns]
        score = {SCORE: _logged_scores(predictions)}
        said = build_profile(decided, kinds, time=held_moments, extra=score, minimum_tolerance=minimum)
        return ReferenceProfile(features.rows, features.features + said.features)

    def _parity_on_table(self, model: FittedModel, scorer: Scorer) -> Parity:
        """Agreement on validation rows (at most 20,000) scored as one table."""
        rows = self.split.validation.frame if self.split.validation.frame.height else self.split.train.frame
        rows = rows.head(_TABLE_ROWS)
        difference = largest_difference(scorer.score_frame(rows), model.predict(rows))
        tolerance = scorer.golden.tolerance
        return Parity(rows.height, difference, tolerance, ok=difference <= tolerance)

    def _manifest(self, plan: ScoringPlan, predictor: Predictor, created_at: dt.datetime) -> Manifest:
        """The manifest, its files still open."""
        record = self.run.record
        return Manifest(
            protocol=PROTOCOL,
            name=self.problem.name,
            version=self.version,
            digest="",
            files={},
            bytes=0,
            created_at=created_at,
            modelyard_version=__version__,
            code_commit=self.details.code_commit,
            dataset_id=record.dataset_id,
            split_id=record.split_id,
            run_id=record.id,
            ledger_position=self.details.ledger_position,
            requirements=requirements_of(plan, predictor),
            author=self.details.author,
            skops=types_of(predictor),
        )

    def _write_card(self, place: Path, source: CardSource) -> None:
        """The record, and its two renderings."""
        card = fill_card(source)
        page = card_page(card)
        write_json(place / "card.json", card.to_dict())
        (place / "card.md").write_text(render_markdown(page), encoding="utf-8")
        (place / "card.html").write_text(render_html(page), encoding="utf-8")


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


def _logged_scores(predictions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Scores as the prediction log holds them: of several classes, the highest probability."""
    return predictions if predictions.ndim == 1 else predictions.max(axis=1)


def _decisions(predictions: npt.NDArray[np.float64], classes: tuple[str, ...]) -> pl.DataFrame:
    """The decided label of several classes; of two, the score says it all."""
    if predictions.ndim == 1:
        return pl.DataFrame()
    return pl.DataFrame({LABEL: [classes[place] for place in predictions.argmax(axis=1).tolist()]})


def _how_sure(evaluation: Evaluation) -> ConformalRule | None:
    """What the package says beside a prediction: an interval or a set, and quantiles; None if it says neither."""
    said = evaluation.regions.rule if evaluation.regions else None
    if evaluation.quantiles is None or evaluation.quantiles.rule is None:
        return said
    return dataclasses.replace(said or ConformalRule(None), quantiles=evaluation.quantiles.rule)


def _metrics(source: CardSource) -> dict[str, Any]:
    """``metrics.json``: the figures for machines."""
    evaluation = source.evaluation
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
        "parity": source.parity.to_dict(),
        "parity_on_table": source.parity_on_table.to_dict(),
        "measurement": source.measurement.to_dict(),
        "size_mb": source.model_mb,
    }
