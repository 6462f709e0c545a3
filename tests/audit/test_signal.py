import numpy as np
import polars as pl
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from modelyard.audit.signal import Binned, bin_values, cross_fitted, joint_score, score_of, strength
from modelyard.data import ColumnKind
from modelyard.problem import Task

RANDOM = np.random.default_rng(0)


def test_few_values_have_a_bin_each() -> None:
    """One bin per value, the last for gaps."""
    binned = bin_values(pl.Series([3, 1, None, 3, 2]), ColumnKind.NUMERIC)

    assert binned.codes.tolist() == [2, 0, 3, 2, 1]
    assert binned.size == 4


def test_categories_have_a_bin_each() -> None:
    """Levels in alphabetical order, the last bin for gaps."""
    binned = bin_values(pl.Series(["b", None, "a"]), ColumnKind.CATEGORY)

    assert (binned.codes.tolist(), binned.size) == ([1, 2, 0], 3)


def test_many_values_share_quantile_bins() -> None:
    """A thousand distinct numbers fall into fifty bins of about twenty."""
    binned = bin_values(pl.Series(RANDOM.normal(size=1000)), ColumnKind.NUMERIC)

    counts = np.bincount(binned.codes, minlength=binned.size)
    assert binned.size == 51
    assert counts[:-1].min() >= 15
    assert counts[-1] == 0


def test_a_row_is_predicted_by_the_other_folds() -> None:
    """The mean of the bin in the other fold, drawn to that fold's mean by five pseudo-rows."""
    target = np.array([[1.0], [0.0], [1.0], [1.0]])
    folds = np.array([0, 0, 1, 1])

    prediction = cross_fitted(Binned(np.array([0, 1, 0, 1]), 2), target, folds)
    np.testing.assert_allclose(prediction[:, 0], [1.0, 1.0, (1 + 5 * 0.5) / 6, (0 + 5 * 0.5) / 6])


def test_names_of_rows_score_at_chance() -> None:
    """A column with a level of its own for every row predicts nothing, since rows are held out."""
    target = (RANDOM.random((2000, 1)) < 0.3).astype(float)
    binned = bin_values(pl.Series(np.arange(2000).astype(str)), ColumnKind.CATEGORY)

    assert score_of(target, cross_fitted(binned, target, RANDOM.integers(0, 5, 2000)), Task.BINARY) < 0.53


def test_scores_are_those_of_scikit_learn() -> None:
    """ROC AUC with ties, macro over classes; R²; and never below chance."""
    truth = RANDOM.integers(0, 3, 300)
    one_hot = np.eye(3)[truth]
    guess = np.round(one_hot + RANDOM.normal(size=(300, 3)), 1)

    expected = np.mean([roc_auc_score(one_hot[:, k], guess[:, k]) for k in range(3)])
    assert score_of(one_hot, guess, Task.MULTICLASS) == pytest.approx(expected)
    assert score_of(guess, one_hot, Task.REGRESSION) == max(r2_score(guess.ravel(), one_hot.ravel()), 0)
    assert score_of(one_hot[:, :1], -guess[:, :1], Task.BINARY) == 0.5


def test_columns_together_beat_each_alone() -> None:
    """The exclusive or of two columns is invisible alone and plain together."""
    left, right = RANDOM.integers(0, 2, 1000), RANDOM.integers(0, 2, 1000)
    target = (left ^ right).astype(float)[:, np.newaxis]
    columns = [Binned(left, 2), Binned(right, 2)]
    folds = RANDOM.integers(0, 5, 1000)

    assert joint_score(columns, target, folds, Task.BINARY, seed=0) == 1.0
    assert score_of(target, cross_fitted(columns[0], target, folds), Task.BINARY) < 0.56
    assert joint_score([], target, folds, Task.REGRESSION, seed=0) == 0.0


def test_a_class_absent_from_a_fold_has_probability_zero() -> None:
    """Three classes, one of them in a single fold only: no crash, and the others are still told apart."""
    truth = np.array([0, 1] * 50 + [2] * 5)
    folds = np.array([0, 0, 1, 1] * 25 + [0] * 5)

    score = joint_score([Binned(truth, 3)], np.eye(3)[truth], folds, Task.MULTICLASS, seed=0)
    assert 0.5 <= score <= 1.0


def test_strength_runs_from_chance_to_perfect() -> None:
    """Zero at chance, one at perfect, for both kinds of score."""
    assert [strength(0.5, Task.BINARY), strength(1.0, Task.MULTICLASS), strength(0.4, Task.REGRESSION)] == [0, 1, 0.4]
