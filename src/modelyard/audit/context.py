"""What checks look at: the training rows, the problem, and measurements that several checks share."""

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.audit.columns import MeasuredColumns
from modelyard.audit.entities import NEAR_TARGET, SCORE_GAP, Entity, entity_candidates
from modelyard.audit.labels import confident_suspects
from modelyard.audit.records import LabelSuspect
from modelyard.audit.signal import Binned, bin_values, cross_fitted, joint_predictions, joint_score, score_of, some_rows
from modelyard.audit.suspects.residuals import bent, residual_distance, residual_limit, unbent
from modelyard.core import derive_seed
from modelyard.data import Column, ColumnKind, Dataset, Roles, category_text
from modelyard.problem import Problem, Task

__all__ = ["LEAST_DISTANCE", "LEAST_MARGIN", "LEAST_SINGLE_SCORE", "AuditContext", "LabelModel", "ValueModel"]

MAX_ROWS = 50_000
"""Rows used to measure signal and association; a sample keeps an audit fast on any table."""

FOLDS = 5

LEAST_MARGIN = 0.8
"""How far another class must lie above the label before a label is suspected, in probability."""

LEAST_SINGLE_SCORE = 0.1
"""R² that the best feature alone must reach before all of them are asked about numbers."""

LEAST_DISTANCE = 8.0
"""How far a number must lie from its prediction before it is suspected, in robust standard deviations."""

_LABEL_ROWS = 10_000
_MOST_SUSPECTS = 1_000


@dataclasses.dataclass(frozen=True)
class LabelModel:
    """What a model that never saw a row says about its label.

    Parameters
    ----------
    score
        Its ROC AUC on held-out rows.
    rows
        Rows that were looked at.
    clear_share
        Share of rows whose likeliest class leads by :data:`LEAST_MARGIN`.
    suspects
        Labels that it contradicts, the most certain first; at most 1,000.
    """

    score: float
    rows: int
    clear_share: float
    suspects: tuple[LabelSuspect, ...]


@dataclasses.dataclass(frozen=True)
class ValueModel:
    """What a model that never saw a row says about its number.

    Parameters
    ----------
    score
        Its R² on held-out rows that are not suspected, or the best single feature's where no model was asked, of bent values; see :func:`~modelyard.audit.suspects.residuals.bent`.
    rows
        Rows that were looked at; 0 if no model was asked.
    limit
        The distance from which on a number is suspected.
    suspects
        Numbers that lie beyond, the farthest first; at most 1,000.
    """

    score: float
    rows: int
    limit: float
    suspects: tuple[LabelSuspect, ...]


@dataclasses.dataclass(frozen=True)
class AuditContext:
    """The training part with what is known about it. Never holds a validation or test row.

    Parameters
    ----------
    train
        Training rows and their schema.
    problem
        Resolved: the task is not ``auto``.
    roles
        What each column is for.
    seed
        Root of the sampling and of the folds.
    quick
        True if no model is to be trained.
    """

    train: Dataset
    problem: Problem
    roles: Roles
    seed: int
    quick: bool = False

    @property
    def frame(self) -> pl.DataFrame:
        """All training rows."""
        return self.train.frame

    @property
    def task(self) -> Task:
        """The resolved task."""
        return self.problem.task

    @functools.cached_property
    def features(self) -> tuple[Column, ...]:
        """The feature columns, in the table's order."""
        wanted = set(self.roles.features)
        return tuple(column for column in self.train.schema.columns if column.name in wanted)

    def features_of(self, *kinds: ColumnKind) -> tuple[Column, ...]:
        """The feature columns of these kinds."""
        return tuple(column for column in self.features if column.kind in kinds)

    @functools.cached_property
    def compared_columns(self) -> tuple[str, ...]:
        """Columns that describe what a row is about: not those that name, number, time or place the row."""
        aside = {self.roles.id, self.roles.target, self.problem.split.column}
        if self.roles.time not in self.roles.features:
            aside.add(self.roles.time)
        return tuple(
            column.name
            for column in self.train.schema.columns
            if column.kind is not ColumnKind.IDENTIFIER and column.name not in aside
        )

    @functools.cached_property
    def sample(self) -> pl.DataFrame:
        """At most 50,000 training rows with a target, in their order."""
        return self.frame if len(self._sampled) == self.frame.height else self.frame[self._sampled]

    @functools.cached_property
    def _sampled(self) -> npt.NDArray[np.int64]:
        """Places of the sample in the training part."""
        target = self.frame[self.roles.target]
        chosen = some_rows(len(target) - target.null_count(), MAX_ROWS, derive_seed(self.seed, "sample"))
        return target.is_not_null().arg_true().to_numpy()[chosen] if target.null_count() else chosen

    @functools.cached_property
    def measured(self) -> MeasuredColumns:
        """The columns in figures, over all training rows."""
        return MeasuredColumns(self.frame)

    @functools.cached_property
    def row_hashes(self) -> pl.Series:
        """64 bits for each training row, of the compared columns without the target; equal rows have equal bits.

        Two of ten million different rows agree with a probability of three in a million.
        """
        return self.frame.select(self.compared_columns).hash_rows(seed=1)

    @functools.cached_property
    def target(self) -> npt.NDArray[np.float64]:
        """The sample's target, shape (rows, outputs): values in ``target_unit``, 0 and 1 for the positive class, or
        one-hot classes.
        """
        values = self.sample[self.roles.target]
        if self.task is Task.REGRESSION:
            return values.cast(pl.Float64).to_numpy()[:, np.newaxis] / self.target_unit
        labels = category_text(values)
        classes = self.classes[-1:] if self.task is Task.BINARY else self.classes
        return np.column_stack([(labels == name).to_numpy().astype(np.float64) for name in classes])

    @functools.cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes in order; the positive one last if there are two."""
        found = category_text(self.frame[self.roles.target]).unique().drop_nulls().sort().to_list()
        positive = self.problem.data.positive
        if self.task is Task.BINARY and positive in found:
            found = [*(name for name in found if name != positive), positive]
        return tuple(found)

    @functools.cached_property
    def target_unit(self) -> float:
        """Size of the largest target of a regression, so that squares of huge ones do not overflow; else 1."""
        if self.task is not Task.REGRESSION or self.sample.height == 0:
            return 1.0
        return float(np.abs(self.sample[self.roles.target].cast(pl.Float64).to_numpy()).max()) or 1.0

    @functools.cached_property
    def folds(self) -> npt.NDArray[np.int64]:
        """Fold of each row of the sample: drawn by group if a group is declared, else by row."""
        group = self.roles.group
        if group is not None and group in self.sample.columns:
            return self.folds_by(self.sample[group])
        random = np.random.default_rng(derive_seed(self.seed, "folds"))
        return random.permutation(self.sample.height) % FOLDS

    def folds_by(self, values: pl.Series) -> npt.NDArray[np.int64]:
        """Folds that keep equal values together."""
        codes = bin_values(values, ColumnKind.CATEGORY).codes
        order = np.random.default_rng(derive_seed(self.seed, "folds", values.name)).permutation(int(codes.max()) + 1)
        folds: npt.NDArray[np.int64] = order[codes] % FOLDS
        return folds

    @functools.cached_property
    def binned(self) -> Mapping[str, Binned]:
        """The sample's features as bins, by name."""
        return {column.name: bin_values(self.sample[column.name], column.kind) for column in self.features}

    @functools.cached_property
    def scores(self) -> Mapping[str, float]:
        """How well each feature alone predicts held-out rows; empty for fewer than 20 rows."""
        if self.sample.height < 4 * FOLDS:
            return {}
        return {name: self.score_of_bins(binned) for name, binned in self.binned.items()}

    def score_of_bins(self, binned: Binned) -> float:
        """The held-out score of one binned column."""
        return score_of(self.target, cross_fitted(binned, self.target, self.folds), self.task)

    def score_of_all_but(self, *names: str, folds: npt.NDArray[np.int64] | None = None) -> float:
        """The held-out score of all features together, without those named."""
        columns = [binned for name, binned in self.binned.items() if name not in names]
        seed = derive_seed(self.seed, "joint")
        return joint_score(columns, self.target, self.folds if folds is None else folds, self.task, seed=seed)

    @functools.cached_property
    def undeclared_entities(self) -> tuple[Entity, ...]:
        """Columns that seem to name entities with many rows each; none if a group is declared."""
        if self.quick or self.roles.group is not None or len(self.features) < 2 or len(self.scores) == 0:
            return ()
        columns = [column for column in self.train.schema.columns if column.name != self.roles.target]
        leaks = [name for name, score in self.scores.items() if score >= NEAR_TARGET[self.task]]
        found = []
        for name, fixed in entity_candidates(self.sample, columns, self.roles.features):
            mixed = self.score_of_all_but(name, *leaks)
            apart = self.score_of_all_but(name, *leaks, folds=self.folds_by(self.sample[name]))
            if mixed - apart >= SCORE_GAP:
                found.append(Entity(name, fixed, mixed, apart))
        return tuple(found)

    @functools.cached_property
    def label_model(self) -> LabelModel:
        """Held-out predictions of all features, held against the labels of at most 10,000 rows."""
        seed = derive_seed(self.seed, "labels")
        rows = some_rows(self.sample.height, _LABEL_ROWS, seed)
        columns = list(self.binned.values())
        predicted = joint_predictions(columns, self.target, self.folds, self.task, rows=rows, seed=seed)
        if predicted is None or len(self.classes) < 2:
            return LabelModel(0.5, 0, 0.0, ())
        truth = self.target[rows]
        both = predicted if truth.shape[1] > 1 else np.column_stack([1 - predicted, predicted])
        labels = truth.argmax(axis=1) if truth.shape[1] > 1 else truth[:, 0].astype(np.int64)
        first, second = np.sort(both, axis=1)[:, -1], np.sort(both, axis=1)[:, -2]
        found = confident_suspects(both, labels, least_margin=LEAST_MARGIN)[:_MOST_SUSPECTS]
        suspects = tuple(self._suspect(rows[row], labels[row], other, both[row]) for row, other, _ in found)
        clear = float((first - second >= LEAST_MARGIN).mean())
        return LabelModel(score_of(truth, predicted, self.task), len(rows), clear, suspects)

    @functools.cached_property
    def value_model(self) -> ValueModel:
        """Held-out predictions of all features, held against the numbers of at most 10,000 rows."""
        seed = derive_seed(self.seed, "labels")
        rows = some_rows(self.sample.height, _LABEL_ROWS, seed)
        truth = self.sample[self.roles.target].cast(pl.Float64).to_numpy()
        tamed = bent(truth)[:, np.newaxis]
        singles = (cross_fitted(binned, tamed, self.folds) for binned in self.binned.values())
        best = max((score_of(tamed, single, self.task) for single in singles), default=0.0)
        if best < LEAST_SINGLE_SCORE:  # spares the boosted trees where they have no chance
            return ValueModel(best, 0, LEAST_DISTANCE, ())
        predicted = joint_predictions(list(self.binned.values()), tamed, self.folds, self.task, rows=rows, seed=seed)
        if predicted is None:
            return ValueModel(0.0, 0, LEAST_DISTANCE, ())
        expected = unbent(predicted[:, 0], truth)
        straight = residual_distance(truth[rows], expected)
        distance = np.minimum(straight, residual_distance(tamed[rows, 0], predicted[:, 0]))
        limit = residual_limit(distance, LEAST_DISTANCE)
        sound = distance <= limit
        far = [place for place in np.argsort(-distance, kind="stable").tolist() if distance[place] > limit]
        suspects = tuple(
            self._suspected_value(int(rows[place]), float(expected[place]), float(distance[place]))
            for place in far[:_MOST_SUSPECTS]
        )
        score = score_of(tamed[rows][sound], predicted[sound], self.task)
        return ValueModel(score, len(rows), limit, suspects)

    def _suspected_value(self, row: int, expected: float, distance: float) -> LabelSuspect:
        """One number that nobody would have expected, by its place in the training part and its id."""
        place, key = self._placed(row)
        given = category_text(self.frame[self.roles.target][[place]]).cast(pl.String)[0]
        return LabelSuspect(place, key, given, f"{expected:.6g}", distance=round(distance, 2))

    def _placed(self, row: int) -> tuple[int, str]:
        """Where a row of the sample lies in the training part, and its id."""
        place = int(self._sampled[row])
        key = self.roles.id
        return place, str(self.frame[key][place]) if key is not None and key in self.frame.columns else ""

    def _suspect(self, row: int, given: int, suggested: int, probabilities: npt.NDArray[np.float64]) -> LabelSuspect:
        """One contradicted label, by its place in the training part and its id."""
        place, key = self._placed(row)
        return LabelSuspect(
            position=place,
            key=key,
            given=self.classes[given],
            suggested=self.classes[suggested],
            probability_given=round(float(probabilities[given]), 4),
            probability_suggested=round(float(probabilities[suggested]), 4),
        )
