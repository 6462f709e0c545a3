"""Packages and scorers of models that answer row by row without a target."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import StateError, atomic_directory
from modelyard.data import (
    Column,
    ColumnKind,
    Contract,
    ReferenceProfile,
    Roles,
    Split,
    assign_roles,
    build_profile,
    derive_contract,
)
from modelyard.features import catalogue
from modelyard.packaging.build import LABEL, SCORE, BuildDetails
from modelyard.packaging.courses.finish import course_manifest, write_card
from modelyard.packaging.courses.story import CourseCardSource, CourseStory
from modelyard.packaging.courses.usual import USUAL_FILE, UsualRows
from modelyard.packaging.finishing import require_limits, require_parity, requirements_of, seal, size_mb, write_json
from modelyard.packaging.golden import GoldenSet, Parity, largest_difference, require_native
from modelyard.packaging.golden_rows import make_golden_set
from modelyard.packaging.latency import measure_package
from modelyard.packaging.manifest import Manifest
from modelyard.packaging.mlflow_files import mlflow_files
from modelyard.packaging.package import Package, load_package
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import Predictor
from modelyard.packaging.scorer import Scorer
from modelyard.packaging.suite import suite_files
from modelyard.problem import Problem

__all__ = ["RowModel", "build_row_package", "row_scorer"]

_TABLE_ROWS = 20_000


@dataclasses.dataclass(frozen=True)
class RowModel:
    """A fitted model in two forms: as training has it, and native.

    Parameters
    ----------
    run_id
        Of its run.
    columns
        What rows are compared by.
    plan, predictor
        The native form.
    predict
        What the model itself says of the rows of a table.
    held_out
        Its answers on training rows, of anomalies by detectors that had not seen them.
    usual
        What is said beside an answer; None if nothing is.
    """

    run_id: str
    columns: tuple[Column, ...]
    plan: ScoringPlan
    predictor: Predictor
    predict: Callable[[pl.DataFrame], npt.NDArray[np.float64]]
    held_out: npt.NDArray[np.float64]
    usual: UsualRows | None


def build_row_package(
    model: RowModel,
    story: CourseStory,
    split: Split,
    problem: Problem,
    *,
    version: str,
    folder: Path,
    details: BuildDetails,
) -> Package:
    """Build, verify and publish a package under ``folder``; the same proofs as of a supervised model.

    Parameters
    ----------
    model, story
        What is packaged, and what the card tells of it.
    split
        What it was learnt from; the sealed part is not touched.
    version
        What the registry will call it.
    folder
        Where the package shall lie; must not exist.

    Raises
    ------
    StateError
        If ``folder`` exists.
    GateRefusedError
        If the native form does not answer as the model does, or a limit is exceeded; nothing is published then.
    """
    if folder.exists():
        raise StateError("there is a package already", where=str(folder), cure="Packages never change: choose another")
    with atomic_directory(folder) as place:
        _Draft(model, split, problem, version, details).write(place, story)
    return load_package(folder)


def row_scorer(model: RowModel, split: Split, problem: Problem) -> Scorer:
    """The model as a scorer that is in no package: no digest names it, and nobody has approved it.

    Raises
    ------
    GateRefusedError
        If the native form does not answer as the model does.
    """
    draft = _Draft(model, split, problem, f"run {model.run_id}", BuildDetails())
    contract = draft.contract()
    scorer = Scorer(
        draft.manifest(dt.datetime.now(dt.UTC)),
        model.plan,
        model.predictor,
        contract=contract,
        profile=ReferenceProfile(0, ()),
        golden=draft.golden(contract),
        beside=model.usual,
    )
    require_native(scorer.verify_golden(), "Choose another method")
    return scorer


@dataclasses.dataclass(frozen=True)
class _Draft:
    """What goes into one package."""

    model: RowModel
    split: Split
    problem: Problem
    version: str
    details: BuildDetails

    def write(self, place: Path, story: CourseStory) -> None:
        """Everything but the card, then the proofs, then the card with what they showed."""
        created_at = self.details.clock()
        manifest = self.manifest(created_at)
        self._write_scoring(place, created_at)
        seal(place, manifest)
        scorer = Scorer.load(place)
        parity, on_table = scorer.verify_golden(), self._parity_on_table(scorer)
        require_parity(parity, on_table)
        measurement = measure_package(place)
        source = CourseCardSource(
            story=story,
            problem=self.problem,
            split=self.split.record,
            manifest=manifest,
            features=catalogue(self.model.plan.encodings, self._roles(), plan=self.problem.features),
            parity=parity,
            parity_on_table=on_table,
            measurement=measurement,
            model_mb=size_mb(place),
            openings=self.details.openings,
            decisions=self.details.decisions,
        )
        write_card(place, source)
        require_limits(self.problem, measurement, size_mb(place))
        seal(place, manifest)

    def manifest(self, created_at: dt.datetime) -> Manifest:
        """The manifest, its files still open."""
        model = self.model
        requirements = requirements_of(model.plan, model.predictor)
        return course_manifest(
            self.split.record, self.problem, self.version, self.details, model.run_id, requirements, created_at
        )

    def contract(self) -> Contract:
        """Of the columns that rows are compared by."""
        return derive_contract(self.split.train, self._roles(), self.problem.data)

    def golden(self, contract: Contract) -> GoldenSet:
        """Training rows and edges with the model's own answers."""
        return make_golden_set(
            self.model,
            self.split.train.frame,
            self.model.columns,
            contract,
            tolerance=self.model.predictor.tolerance,
            seed=self.problem.training.seed,
        )

    def _roles(self) -> Roles:
        """The roles of columns, where only those that are compared are features."""
        roles = assign_roles(self.problem, self.split.train.schema)
        used = tuple(column.name for column in self.model.columns)
        lost = {name: "rows are not compared by it" for name in roles.features if name not in used}
        return dataclasses.replace(roles, features=used, excluded={**roles.excluded, **lost})

    def _write_scoring(self, place: Path, created_at: dt.datetime) -> None:
        """All that scoring and watching need."""
        model, contract = self.model, self.contract()
        (place / "model").mkdir()
        for name, content in model.predictor.to_files().items():
            (place / "model" / name).write_bytes(content)
        files: dict[str, Any] = {
            "plan.json": model.plan,
            "contract.json": contract,
            "golden.json": self.golden(contract),
            "reference.json": self._reference(),
        }
        files |= {USUAL_FILE: model.usual} if model.usual is not None else {}
        for name, record in files.items():
            write_json(place / name, record.to_dict())
        (place / "tests").mkdir()
        texts = {f"tests/{name}": text for name, text in suite_files(contract, model.plan).items()}
        requirements = requirements_of(model.plan, model.predictor)
        texts |= mlflow_files(model.plan, model.columns, contract, requirements=requirements, created_at=created_at)
        for name, text in texts.items():
            (place / name).write_text(text, encoding="utf-8")

    def _reference(self) -> ReferenceProfile:
        """Features of the training rows, and what the model said of them."""
        train, time = self.split.train, self.problem.data.time
        minimum = self.problem.monitoring.tolerance
        moments = train.frame[time] if time is not None else None
        features = build_profile(train.frame, self.model.columns, time=moments, minimum_tolerance=minimum)
        answers = self.model.held_out
        several = answers.ndim == 2
        score = {SCORE: answers.max(axis=1) if several else answers}
        kinds = [Column(LABEL, ColumnKind.CATEGORY, "String", nullable=False)] if several else []
        labels = [self.model.plan.classes[place] for place in answers.argmax(axis=1).tolist()] if several else []
        said = build_profile(
            pl.DataFrame({LABEL: labels} if several else {}), kinds, extra=score, minimum_tolerance=minimum
        )
        return ReferenceProfile(features.rows, features.features + said.features)

    def _parity_on_table(self, scorer: Scorer) -> Parity:
        """Agreement on training rows (at most 20,000) scored as one table."""
        rows = self.split.train.frame.head(_TABLE_ROWS)
        difference = largest_difference(scorer.score_frame(rows), self.model.predict(rows))
        tolerance = scorer.golden.tolerance
        return Parity(rows.height, difference, tolerance, ok=difference <= tolerance)
