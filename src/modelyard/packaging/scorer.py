"""The scorer: a package at work. One row or many, from typed values to scores and labels."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.conformal import ConformalRule
from modelyard.core import IntegrityError
from modelyard.data import Contract, ReferenceProfile
from modelyard.features import OWN_FILE, OwnFeatures, encode_frame, row_encoder
from modelyard.packaging.courses.usual import USUAL_FILE, UsualRows
from modelyard.packaging.explaining import Explainer
from modelyard.packaging.fusion import row_scorer
from modelyard.packaging.golden import GoldenSet, Parity, replay, require_reproduced
from modelyard.packaging.manifest import CONFORMAL_FILE, Manifest
from modelyard.packaging.package import Package, load_package
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import (
    Predictor,
    SkopsPredictor,
    SkopsTrust,
    kinds_of,
    load_predictor,
    operators_trust,
)
from modelyard.problem import Task

__all__ = ["Scorer", "Scores"]

_FEW_ROWS = 8
"""Up to this many rows, single-row calls are faster than one call for a matrix."""

_DEFAULT_THRESHOLD = 0.5

Scores = npt.NDArray[np.float64]


class Scorer:
    """Scores rows as the training pipeline would, without scikit-learn, pandas or pickle.

    Threads may share a scorer. It does not check rows against the contract: that is the caller's, who can refuse or
    flag; an absent field counts as missing here.

    Parameters
    ----------
    manifest
        Names the model.
    plan, predictor
        What is computed.
    contract, profile
        What training saw, for those who check requests and watch drift.
    golden
        Rows with known answers.
    own
        Features of the user's own, if the plan names any.
    beside
        What is said beside a prediction: how sure it is, or of anomalies how rare and why; None if the package says neither.

    Attributes
    ----------
    is_fallback
        True if an estimator without a native form answers: one row costs what a table costs, so rows that come together share a
        call.

    Raises
    ------
    IntegrityError
        If the plan and the predictor do not fit together.
    """

    def __init__(
        self,
        manifest: Manifest,
        plan: ScoringPlan,
        predictor: Predictor,
        *,
        contract: Contract,
        profile: ReferenceProfile,
        golden: GoldenSet,
        own: OwnFeatures | None = None,
        beside: ConformalRule | UsualRows | None = None,
    ) -> None:
        _check_fit(plan, predictor)
        self.manifest = manifest
        self.plan = plan
        self.contract = contract
        self.profile = profile
        self.golden = golden
        self.conformal = beside if isinstance(beside, ConformalRule) else None
        self._usual = beside if isinstance(beside, UsualRows) else None
        self._predictor = predictor
        self._own = own
        self._encodings = plan.encodings
        self._encode = row_encoder(plan.encodings)
        self.is_fallback = SkopsPredictor.kind in kinds_of(predictor)
        self._answer = row_scorer(plan.encodings, predictor, self._encode)
        self._cut = _cut(plan)

    @classmethod
    def load(cls, source: Path | str | Package, trust: SkopsTrust | None = None) -> Self:
        """The scorer of a package; a folder is verified first, as :func:`~modelyard.packaging.load_package` does.

        Parameters
        ----------
        source
            The package.
        trust
            The operator's yes to an estimator that skops keeps; by default what ``MODELYARD_ALLOW_SKOPS`` says.

        Raises
        ------
        IntegrityError
            If a file is not what was packaged.
        GateRefusedError
            If the estimator is one that only skops can keep, and nobody said yes to its types.
        ModelyardError
            If the library of the predictor is not installed.
        """
        package = source if isinstance(source, Package) else load_package(source)
        plan = ScoringPlan.from_dict(package.read_json("plan.json"))
        return cls(
            package.manifest,
            plan,
            load_predictor(plan.predictor, package.model_files(), trust or operators_trust()),
            contract=Contract.from_dict(package.read_json("contract.json")),
            profile=ReferenceProfile.from_dict(package.read_json("reference.json")),
            golden=GoldenSet.from_dict(package.read_json("golden.json")),
            own=_own_features(package, plan),
            beside=_usual_rows(package) or _conformal_rule(package),
        )

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """Version of the model."""
        return self.manifest.version

    @property
    def digest(self) -> str:
        """Digest of the whole package."""
        return self.manifest.digest

    @property
    def task(self) -> Task:
        """Binary, multiclass, regression, anomaly or clustering."""
        return self.plan.task

    @property
    def form(self) -> Task:
        """Binary, multiclass or regression: what answers look like; see :attr:`ScoringPlan.form`."""
        return self.plan.form

    @property
    def classes(self) -> tuple[str, ...]:
        """Binary: (negative, positive), multiclass: in the order of scores, regression: empty; (usual, anomaly), or the clusters."""
        return self.plan.classes

    @property
    def threshold(self) -> float | None:
        """Binary: the score from which on a row is positive; likewise of anomalies."""
        return self.plan.threshold

    def score_rows(self, rows: Sequence[Mapping[str, Any]]) -> Scores:
        """Scores of rows given as mappings, as a request brings them.

        Parameters
        ----------
        rows
            Column to value. Absent fields and null are missing; other fields are ignored.

        Returns
        -------
        NDArray
            Binary: probability of the positive class, shape (rows,); multiclass: probabilities in the order of
            ``classes``, shape (rows, classes); regression: values, shape (rows,). Anomalies: how strange a row is, in usual
            deviations, shape (rows,); clusters: as multiclass.
        """
        if len(rows) > _FEW_ROWS:
            return self._shaped(self._predictor.predict_matrix(self._matrix(rows)))
        return self._shaped(np.array(self._answers(rows)).reshape(len(rows), self.plan.outputs))

    def score_each(self, rows: Sequence[Mapping[str, Any]]) -> list[float | list[float]]:
        """Scores of a few rows, as plain numbers: bit for bit those of :meth:`score_rows`.

        Multiclass: a list of probabilities by row, in the order of ``classes``.
        """
        outputs = self._answers(rows)
        if self.form is not Task.MULTICLASS:
            return [output[0] for output in outputs]
        shares: list[float | list[float]] = self._shaped(
            np.array(outputs).reshape(len(rows), self.plan.outputs)
        ).tolist()
        return shares

    def score_frame(self, frame: pl.DataFrame) -> Scores:
        """Scores of a table, as :meth:`score_rows` gives them.

        Raises
        ------
        DataError
            If a column that the model was trained on is missing.
        """
        if self._own is not None:
            frame = self._own.add(frame)
        return self._shaped(self._predictor.predict_matrix(encode_frame(self._encodings, frame)))

    def decide(self, scores: Scores) -> list[str | float]:
        """Labels by threshold (binary) or highest probability (multiclass); the values themselves for regression."""
        if scores.ndim == 2:
            return [self.classes[place] for place in scores.argmax(axis=1).tolist()]
        return list(map(self.decide_row, scores.tolist()))

    def decide_row(self, score: float | list[float]) -> str | float:
        """The label of one row's score; see :meth:`decide`. Of equal probabilities the first class has it."""
        if isinstance(score, list):
            return self.classes[score.index(max(score))]
        return score if self._cut is None else self.classes[score >= self._cut]

    def describe(self, scores: Scores) -> dict[str, list[Any]]:
        """How sure each prediction is: ``prediction_interval``, [low, high], or ``prediction_set``, names of classes.

        They hold the truth in the share of cases that ``conformal.coverage`` names. Where there are quantiles, also
        ``prediction_quantiles``, values by the names of levels. Empty if the package does not say.
        """
        return self.conformal.describe(scores, self.classes) if self.conformal else {}

    def remarks(self, frame: pl.DataFrame, scores: Scores) -> tuple[pl.Series, ...]:
        """What is said beside the scores of a table's rows; nothing but for anomalies.

        ``stranger_than`` is the share of training rows that are less strange, ``why`` the columns that make a row an
        anomaly, in words.
        """
        if self._usual is None or self._cut is None:
            return ()
        return self._usual.remarks(frame, scores, self._cut, self.score_frame)

    @functools.cached_property
    def explainer(self) -> Explainer:
        """Says why rows get their scores; made when it is first asked for."""
        return Explainer(self.plan, self._predictor, self.golden, encode=self._matrix, score=self.score_rows)

    def verify_golden(self) -> Parity:
        """Replay the golden rows: how well this scorer, here and now, answers as the training pipeline did."""
        return replay(self.golden, self)

    def require_golden(self) -> Self:
        """The scorer itself, if it reproduces its golden rows.

        Raises
        ------
        IntegrityError
            If it does not; it must not answer then.
        """
        require_reproduced(
            self.verify_golden(), "the scorer does not reproduce its golden rows", f"{self.name} {self.version}"
        )
        return self

    def _answers(self, rows: Sequence[Mapping[str, Any]]) -> list[list[float]]:
        """The predictor's outputs, row by row, or all at once where one row costs as much as many."""
        if self.is_fallback and len(rows) > 1:
            outputs: list[list[float]] = self._predictor.predict_matrix(self._matrix(rows)).tolist()
            return outputs
        return list(map(self._answer, rows if self._own is None else self._own.add_to_rows(rows)))

    def _matrix(self, rows: Sequence[Mapping[str, Any]]) -> Scores:
        """Encoded features, shape (rows, features)."""
        whole = rows if self._own is None else self._own.add_to_rows(rows)
        return np.array(list(map(self._encode, whole))).reshape(len(rows), self.plan.features)

    def _shaped(self, outputs: Scores) -> Scores:
        """Outputs as scores: one number a row, or one per class."""
        if self.form is not Task.MULTICLASS:
            return outputs[:, 0]
        if outputs.shape[1] == 1:
            outputs = np.hstack([1 - outputs, outputs])
        if not self.plan.present:
            return outputs
        spread = np.zeros((len(outputs), len(self.classes)))
        spread[:, list(self.plan.present)] = outputs
        return spread


def _cut(plan: ScoringPlan) -> float | None:
    """The score from which on a row is positive; None where scores are not cut."""
    if plan.form is not Task.BINARY:
        return None
    return _DEFAULT_THRESHOLD if plan.threshold is None else plan.threshold


def _own_features(package: Package, plan: ScoringPlan) -> OwnFeatures | None:
    """The features of the user's own that the package holds, if any."""
    if not plan.own:
        return None
    return OwnFeatures.of_package(package.read(OWN_FILE).decode(), plan.own, plan.own_digest)


def _conformal_rule(package: Package) -> ConformalRule | None:
    """The rule of the package; None for one without, such as those built before there were any."""
    if CONFORMAL_FILE not in package.manifest.files:
        return None
    return ConformalRule.from_dict(package.read_json(CONFORMAL_FILE))


def _usual_rows(package: Package) -> UsualRows | None:
    """What is usual, if the package says so."""
    if USUAL_FILE not in package.manifest.files:
        return None
    return UsualRows.from_dict(package.read_json(USUAL_FILE))


def _check_fit(plan: ScoringPlan, predictor: Predictor) -> None:
    """Refuse a plan whose features or outputs are not those of the predictor."""
    wanted = (plan.features, plan.outputs)
    got = (plan.features if predictor.features is None else predictor.features, predictor.outputs)
    if wanted != got:
        raise IntegrityError(
            "the scoring plan and the model do not fit together",
            where="plan.json",
            got=f"{got[0]} features and {got[1]} outputs in the model, {wanted[0]} and {wanted[1]} in the plan",
            cure="Build the package again from its run",
        )
