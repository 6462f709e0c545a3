"""Contributions of packaged trees are Shapley values: by their very definition, and by two other programs."""

import dataclasses
import functools
import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.conformal import ProbabilityCurve
from modelyard.core import IntegrityError
from modelyard.packaging.compile import compile_estimator
from modelyard.packaging.explaining.exact import affordable_rows, exact_contributions, scale_of
from modelyard.packaging.predictors import (
    BlendPart,
    BlendPredictor,
    ForestPredictor,
    LinearPredictor,
    Link,
    ObliviousPredictor,
    Predictor,
)
from modelyard.packaging.predictors.forest import ForestArrays
from modelyard.packaging.predictors.walking import LeafAnswers
from modelyard.problem import Task

Matrix = npt.NDArray[np.float64]

REFERENCE = Path(__file__).parents[1] / "data" / "tree_shap.json"
WIDTH = 4


@functools.cache
def rows() -> tuple[Matrix, Matrix, Matrix]:
    """A table with gaps and tiny numbers, a target that needs two columns together, and weights that are no whole numbers."""
    random = np.random.default_rng(0)
    matrix = random.normal(size=(300, WIDTH)).round(1)
    matrix[:, 3] *= 1e-37
    target = matrix[:, 0] * matrix[:, 1] + matrix[:, 2] + (matrix[:, 3] > 0)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    return matrix, np.nan_to_num(target), random.random(300)


def fitted(kind: str, seed: int) -> Predictor:
    """Some trees, compiled."""
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestRegressor
    from sklearn.tree import DecisionTreeClassifier

    matrix, target, weight = rows()
    three = np.digitize(target, [-0.5, 0.8])
    if kind == "values":
        forest: Any = RandomForestRegressor(7, max_depth=5, random_state=seed).fit(matrix, target)
    elif kind == "classes":
        forest = ExtraTreesClassifier(5, max_depth=6, random_state=seed).fit(matrix, three, sample_weight=weight)
    else:
        forest = DecisionTreeClassifier(max_leaf_nodes=9, random_state=seed).fit(matrix, three > 0)
    return compile_estimator(forest, Task.REGRESSION if kind == "values" else Task.BINARY, "forest")


@functools.cache
def oblivious(levels: int) -> tuple[Any, ObliviousPredictor]:
    """CatBoost's own model, and its tables."""
    from catboost import CatBoostClassifier

    matrix, target, weight = rows()
    model = CatBoostClassifier(
        iterations=12, depth=levels, thread_count=1, random_seed=levels, verbose=False, allow_writing_files=False
    ).fit(matrix, np.digitize(target, [-0.5, 0.8]) if levels == 3 else target > 0, sample_weight=weight)
    compiled = compile_estimator(model, Task.MULTICLASS if levels == 3 else Task.BINARY, "catboost")
    assert isinstance(compiled, ObliviousPredictor)
    return model, compiled


def contributions(predictor: Predictor, matrix: Matrix) -> Matrix:
    """Of a predictor that must know them."""
    found = exact_contributions(predictor, matrix, matrix)
    assert found is not None
    return found


def expected(arrays: ForestArrays, cover: Matrix, row: Matrix, known: tuple[int, ...], node: int) -> Matrix:
    """A tree's answers if only the ``known`` features may be looked at (Lundberg et al., 2020, algorithm 1)."""
    left = int(arrays.left[node])
    if left == node:
        return np.asarray(arrays.values[node])
    parts = [expected(arrays, cover, row, known, child) for child in (left, left + 1)]
    value = np.float64(np.float32(row[arrays.feature[node]]))
    if arrays.feature[node] not in known:
        return np.asarray(np.average(parts, axis=0, weights=cover[left : left + 2]))
    goes_left = arrays.missing_left[node] if np.isnan(value) else value <= arrays.threshold[node]
    return parts[0 if goes_left else 1]


def covers(arrays: ForestArrays) -> Matrix:
    """Of all nodes; children stand behind their parents."""
    assert arrays.cover is not None
    cover = np.zeros(len(arrays.left))
    cover[arrays.left == np.arange(len(cover))] = arrays.cover
    for node in reversed(range(len(cover))):
        if arrays.left[node] != node:
            cover[node] = cover[arrays.left[node] : arrays.left[node] + 2].sum()
    return cover


def by_definition(arrays: ForestArrays, row: Matrix) -> Matrix:
    """The mean gain of each feature over all coalitions of the others, and the base, shape (outputs, features + 1)."""
    cover, width = covers(arrays), len(row)

    @functools.cache
    def game(known: tuple[int, ...]) -> Matrix:
        return np.asarray(np.mean([expected(arrays, cover, row, known, int(root)) for root in arrays.roots], axis=0))

    found = np.zeros((arrays.values.shape[1], width + 1))
    found[:, -1] = game(())
    for feature in range(width):
        others = [other for other in range(width) if other != feature]
        for size in range(width):
            weight = math.factorial(size) * math.factorial(width - size - 1) / math.factorial(width)
            for known in itertools.combinations(others, size):
                found[:, feature] += weight * (game(tuple(sorted((*known, feature)))) - game(known))
    return found


@pytest.mark.parametrize(("kind", "tolerance"), [("values", 1e-12), ("tree", 1e-12), ("classes", 1e-8)])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_reasons_of_forests_are_shapley_values(kind: str, tolerance: float, seed: int) -> None:
    """All coalitions of random forests give the same amounts; weights that are no counts are rounded to a billionth."""
    predictor = fitted(kind, seed)
    assert isinstance(predictor, ForestPredictor)
    matrix = rows()[0][:3]
    found = contributions(predictor, matrix)

    for row, amounts in zip(matrix, found, strict=True):
        assert np.allclose(amounts, by_definition(predictor._arrays, row), rtol=0, atol=tolerance)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), kind=st.sampled_from(["values", "classes", "tree"]))
def test_reasons_of_forests_add_up(seed: int, kind: str) -> None:
    """Base and amounts are the answer itself, within 1e-9, also of numbers beyond single precision and next to 0."""
    predictor = fitted(kind, seed)
    matrix = np.vstack([rows()[0][:20], [[1e300, -1e300, 1e-40, 1e-45], [np.inf, -np.inf, 0.0, -1e-37]]])
    found = contributions(predictor, matrix)

    assert np.allclose(found.sum(axis=2), predictor.predict_matrix(matrix), rtol=0, atol=1e-9)
    assert np.array_equal(contributions(predictor, matrix[:1])[0], found[0])


@pytest.mark.parametrize("levels", [2, 3, 6])
def test_reasons_of_oblivious_trees_are_those_of_catboost(levels: int) -> None:
    """The library's own Shapley values, for levels that share a column, gaps, weights, and leaves that no row reached."""
    from catboost import Pool

    model, predictor = oblivious(levels)
    matrix = rows()[0][:40]
    found = contributions(predictor, matrix)
    theirs = np.reshape(model.get_feature_importance(Pool(matrix), type="ShapValues"), found.shape)
    raw = np.reshape(model.predict(matrix, prediction_type="RawFormulaVal"), found.shape[:2])

    assert np.allclose(found, theirs, rtol=0, atol=1e-12)
    assert np.allclose(found.sum(axis=2), raw, rtol=0, atol=1e-9)
    assert scale_of(found.sum(axis=2), predictor.predict_matrix(matrix)) == "link"


def test_reasons_are_those_of_the_shap_package() -> None:
    """Amounts that shap's TreeExplainer gave for these trees and rows (``tree_path_dependent``), kept with the trees."""
    kept = json.loads(REFERENCE.read_text())
    arrays = {name: np.array(values) for name, values in kept["trees"].items()}
    forest = ForestPredictor(ForestArrays(**arrays, depth=kept["depth"], features=kept["features"]))
    found = contributions(forest, np.array(kept["rows"], dtype=np.float64))

    assert np.allclose(found[:, 0, :-1], kept["amounts"], rtol=0, atol=1e-12)
    assert found[:, 0, -1] == pytest.approx(kept["base"], abs=1e-12)


def test_what_was_packaged_without_covers_is_sampled() -> None:
    """Forests and oblivious trees of older packages load, answer the same, and say that they know no contributions."""
    matrix = rows()[0][:5]
    forest, (_, boosted) = fitted("values", 0), oblivious(3)
    files = {name: data for name, data in forest.to_files().items() if "covers" not in name}
    assert isinstance(forest, ForestPredictor)
    older = dataclasses.replace(boosted._trees, weights=None)
    old = ObliviousPredictor.from_files(ObliviousPredictor(older, boosted._link).to_files())

    assert files.keys() == {"forest.npz"}
    pairs: list[tuple[Predictor, Predictor]] = [(forest, ForestPredictor.from_files(files)), (boosted, old)]
    for new, bare in pairs:
        assert np.array_equal(new.predict_matrix(matrix), bare.predict_matrix(matrix))
        assert exact_contributions(bare, matrix, matrix) is None
        again = type(new).from_files(new.to_files())
        assert np.array_equal(contributions(again, matrix), contributions(new, matrix))


def test_covers_that_fit_no_forest_are_refused() -> None:
    """One weight too few, or one that is not above 0: an integrity error that names the file."""
    forest = fitted("tree", 0)
    assert isinstance(forest, ForestPredictor)
    cover = forest._arrays.cover
    assert cover is not None
    for wrong in (cover[1:], np.where(np.arange(len(cover)), cover, 0.0)):
        files = ForestPredictor(dataclasses.replace(forest._arrays, cover=wrong)).to_files()
        with pytest.raises(IntegrityError, match=r"forest-covers.*not a weight above 0"):
            ForestPredictor.from_files(files)


def test_weights_become_counts() -> None:
    """Whole numbers stay; others are rounded to a billionth of their sum, and none becomes 0."""
    values = np.zeros((3, 1))

    assert LeafAnswers(values, np.array([3.0, 1.0, 2.0])).counts.tolist() == [3, 1, 2]
    assert LeafAnswers(values, np.array([0.5, 0.25, 0.25])).counts.tolist() == [1 << 29, 1 << 28, 1 << 28]
    assert LeafAnswers(values, np.array([1e12, 1e12, 1.0])).counts.tolist() == [1 << 29, 1 << 29, 1]


def test_large_forests_are_explained_few_at_a_time() -> None:
    """The more nodes, the fewer rows at once; what has no cost of its own is not bounded."""
    forest = fitted("values", 0)
    assert isinstance(forest, ForestPredictor)
    linear = LinearPredictor(np.ones((1, 2)), np.zeros(1), Link.IDENTITY)
    nodes = len(forest._arrays.left)

    assert forest.explaining_work == nodes * 5
    assert affordable_rows(forest, 10**9) == 100_000_000 // (nodes * 5)
    assert affordable_rows(linear, 200) == 200


def blended(*members: tuple[Predictor, float], curve: ProbabilityCurve | None = None) -> BlendPredictor:
    """A blend whose members read their own copy of the features."""
    parts = [
        BlendPart(member, place * WIDTH, (place + 1) * WIDTH, weight) for place, (member, weight) in enumerate(members)
    ]
    return BlendPredictor(parts, curve)


def test_a_mean_of_values_has_the_mean_of_the_reasons() -> None:
    """Members on the same scale: amounts are weighted, each in its own stretch, and add up to the blend's answer."""
    forest, line = (
        fitted("values", 1),
        LinearPredictor(np.array([[1.0, -2.0, 0.5, 0.0]]), np.array([3.0]), Link.IDENTITY),
    )
    blend = blended((forest, 0.25), (line, 0.75))
    matrix = np.nan_to_num(np.hstack([rows()[0][:9]] * 2))
    found, own = contributions(blend, matrix), contributions(forest, matrix[:, :WIDTH])

    assert np.allclose(found[:, :, :WIDTH], own[:, :, :-1] / 4, rtol=0, atol=1e-15)
    assert np.allclose(found.sum(axis=2), blend.predict_matrix(matrix), rtol=0, atol=1e-9)
    beside = exact_contributions(blend, np.vstack([matrix[:1], np.full((1, 2 * WIDTH), 1.7e308)]), matrix)
    assert beside is not None
    assert np.array_equal(beside[0], found[0])
    assert np.isnan(beside[1]).any()
    assert blend.explaining_work == forest.explaining_work  # type: ignore[attr-defined]


def test_means_of_probabilities_are_explained_if_the_members_are() -> None:
    """Forests answer with probabilities, so their mean is explained; log odds in a mean, or a curve over it, are not."""
    forest, tree, (_, boosted) = fitted("classes", 1), fitted("tree", 2), oblivious(2)
    assert isinstance(forest, ForestPredictor)
    first = ForestPredictor(
        dataclasses.replace(forest._arrays, values=np.ascontiguousarray(forest._arrays.values[:, :1]))
    )
    matrix = np.hstack([rows()[0][:9]] * 2)
    forests = blended((first, 0.5), (tree, 0.5))
    mixed = blended((first, 0.5), (boosted, 0.5))
    calibrated = blended((first, 0.5), (tree, 0.5), curve=ProbabilityCurve(0.8, 0.1))

    assert np.allclose(contributions(forests, matrix).sum(axis=2), forests.predict_matrix(matrix), rtol=0, atol=1e-9)
    assert np.isnan(contributions(mixed, matrix).sum(axis=2)).all()
    assert scale_of(contributions(mixed, matrix).sum(axis=2), mixed.predict_matrix(matrix)) == ""
    assert exact_contributions(calibrated, matrix, matrix) is None


def test_a_calibrated_model_has_its_own_reasons_stretched() -> None:
    """The curve is a line in log odds: amounts times the slope, and the offset in the base; of a forest there is none."""
    (_, boosted), tree = oblivious(2), fitted("tree", 2)
    matrix, curve = rows()[0][:9], ProbabilityCurve(0.8, 0.1)
    blend = blended((boosted, 1.0), curve=curve)
    found, own = contributions(blend, matrix), contributions(boosted, matrix)

    assert np.allclose(found[:, :, :-1], 0.8 * own[:, :, :-1], rtol=0, atol=1e-12)
    assert scale_of(found.sum(axis=2), blend.predict_matrix(matrix)) == "link"
    assert np.isnan(contributions(blended((tree, 1.0), curve=curve), matrix).sum(axis=2)).all()


def test_a_calibrated_model_of_classes_has_its_own_reasons_stretched() -> None:
    """Softmax of the stretched sums is the curve's answer."""
    _, boosted = oblivious(3)
    matrix = rows()[0][:9]
    blend = blended((boosted, 1.0), curve=ProbabilityCurve(1.7))

    assert scale_of(contributions(blend, matrix).sum(axis=2), blend.predict_matrix(matrix)) == "link"
