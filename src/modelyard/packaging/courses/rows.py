"""Packages and scorers of models that answer row by row without a target."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data import Column, Contract, ReferenceProfile, Roles, Split, assign_roles, derive_contract
from modelyard.features import FeatureEntry, catalogue
from modelyard.packaging.courses.finish import CourseDraft
from modelyard.packaging.courses.story import CourseStory
from modelyard.packaging.courses.usual import USUAL_FILE, UsualRows
from modelyard.packaging.finishing import (
    BuildDetails,
    Content,
    Origin,
    open_manifest,
    prove_rows,
    reference_of,
    requirements_of,
    scoring_files,
)
from modelyard.packaging.golden import GoldenSet, Parity, require_native
from modelyard.packaging.golden_rows import make_golden_set
from modelyard.packaging.package import Package
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import Predictor
from modelyard.packaging.scorer import Scorer
from modelyard.problem import Problem

__all__ = ["RowModel", "build_row_package", "row_scorer"]


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
    return _Draft(split, problem, version, details, story, model).publish(folder)


def row_scorer(model: RowModel, split: Split, problem: Problem) -> Scorer:
    """The model as a scorer that is in no package: no digest names it, and nobody has approved it.

    Raises
    ------
    GateRefusedError
        If the native form does not answer as the model does.
    """
    plan, predictor, record = model.plan, model.predictor, split.record
    contract = _contract(model, split, problem)
    manifest = open_manifest(
        problem,
        f"run {model.run_id}",
        Origin(record.dataset_id, record.id, model.run_id),
        dt.datetime.now(dt.UTC),
        requirements=requirements_of(plan, predictor),
    )
    scorer = Scorer(
        manifest,
        plan,
        predictor,
        contract=contract,
        profile=ReferenceProfile(0, ()),
        golden=_golden(model, contract, split, problem),
        beside=model.usual,
    )
    require_native(scorer.verify_golden(), "Choose another method")
    return scorer


@dataclasses.dataclass(frozen=True)
class _Draft(CourseDraft):
    """A model in its two forms, with what is said beside its answers."""

    model: RowModel

    @property
    def requirements(self) -> dict[str, str]:
        """Of the native form."""
        return requirements_of(self.model.plan, self.model.predictor)

    def files(self, created_at: dt.datetime) -> dict[str, Content]:
        """The files of rows, and what is usual."""
        model, contract = self.model, _contract(self.model, self.split, self.problem)
        golden = _golden(model, contract, self.split, self.problem)
        files = scoring_files(
            model.plan, model.predictor, model.columns, contract, golden, self._reference(), created_at
        )
        return files if model.usual is None else {**files, USUAL_FILE: model.usual.to_dict()}

    def prove(self, place: Path) -> tuple[Parity, Parity]:
        """On the golden rows and the training part."""
        return prove_rows(place, self.model.predictor, self.split.train.frame, self.model.predict)

    def features(self) -> tuple[FeatureEntry, ...]:
        """Of what rows are compared by, and of what is left out."""
        roles = _roles(self.model, self.split, self.problem)
        return catalogue(self.model.plan.encodings, roles, plan=self.problem.features)

    def _reference(self) -> ReferenceProfile:
        """Features of the training rows, and what the model said of them."""
        train, time = self.split.train.frame, self.problem.data.time
        return reference_of(
            train,
            self.model.columns,
            self.model.held_out,
            self.model.plan.classes,
            moments=train[time] if time is not None else None,
            minimum_tolerance=self.problem.monitoring.tolerance,
        )


def _roles(model: RowModel, split: Split, problem: Problem) -> Roles:
    """The roles of columns, where only those that are compared are features."""
    roles = assign_roles(problem, split.train.schema)
    used = tuple(column.name for column in model.columns)
    lost = {name: "rows are not compared by it" for name in roles.features if name not in used}
    return dataclasses.replace(roles, features=used, excluded={**roles.excluded, **lost})


def _contract(model: RowModel, split: Split, problem: Problem) -> Contract:
    """Of the columns that rows are compared by."""
    return derive_contract(split.train, _roles(model, split, problem), problem.data)


def _golden(model: RowModel, contract: Contract, split: Split, problem: Problem) -> GoldenSet:
    """Training rows and edges with the model's own answers."""
    tolerance, seed = model.predictor.tolerance, problem.training.seed
    return make_golden_set(model, split.train.frame, model.columns, contract, tolerance=tolerance, seed=seed)
