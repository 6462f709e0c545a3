"""Single rows walked in LightGBM's library reach the leaves, and give the sums, of the library that trained the trees."""

import functools
import json
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelyard.core import IntegrityError
from modelyard.packaging.predictors import ForestArrays, ForestPredictor, XGBoostPredictor, flatten_trees
from modelyard.packaging.predictors.walking import SingleSums, TreeNodes, single_sums, walker_of
from modelyard.packaging.predictors.walking.trees import as_text

Matrix = npt.NDArray[np.float64]

WIDTH = 4
NUMBERS = st.sampled_from([math.nan, 0.0, -0.0, 1e-40, -1e-40, 1e-36, -1e-36, 1e300, -1e300, math.inf, -math.inf])
ROWS = st.lists(NUMBERS | st.floats(-3, 3) | st.floats(), min_size=WIDTH, max_size=WIDTH)


@functools.cache
def _data() -> tuple[Matrix, Matrix]:
    """Numbers on both sides of 0, a column of tiny ones, whole numbers and gaps."""
    random = np.random.default_rng(0)
    matrix = random.normal(size=(300, WIDTH))
    matrix[:, 1] = np.where(matrix[:, 1] > 0, 1e-37, -1e-37)
    matrix[:, 2] = matrix[:, 2].round()
    target = matrix[:, 0] + (matrix[:, 1] > 0) * 2 + matrix[:, 2] ** 2
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    return matrix, target


@functools.cache
def _forest(kind: str) -> ForestPredictor:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestRegressor

    matrix, target = _data()
    if kind == "values":
        fitted: Any = RandomForestRegressor(30, random_state=0).fit(matrix, target)
        outputs = [0]
    else:
        fitted = ExtraTreesClassifier(20, random_state=0).fit(matrix, np.digitize(target, [0.5, 2.0]))
        outputs = [0, 1, 2]
    return ForestPredictor(flatten_trees([tree.tree_ for tree in fitted.estimators_], WIDTH, outputs))


@functools.cache
def _boosted(kind: str) -> XGBoostPredictor:
    from xgboost import XGBClassifier, XGBRegressor

    matrix, target = _data()
    made: dict[str, Any] = {
        "classes": lambda: XGBClassifier(n_estimators=30, n_jobs=1).fit(matrix, target > 1),
        "values": lambda: XGBRegressor(n_estimators=30, n_jobs=1).fit(matrix, target),
        "leafwise": lambda: XGBRegressor(n_estimators=9, grow_policy="lossguide", max_leaves=20).fit(matrix, target),
        "three classes": lambda: XGBClassifier(n_estimators=5, n_jobs=1).fit(matrix, np.digitize(target, [0.5, 2.0])),
        "dart": lambda: XGBRegressor(n_estimators=5, booster="dart", rate_drop=0.5).fit(matrix, target),
        "counts": lambda: XGBRegressor(n_estimators=5, objective="count:poisson").fit(matrix, target.clip(0)),
    }
    return XGBoostPredictor(_raw(made[kind]()), 20 if kind == "values" else 0)


def _raw(fitted: Any) -> bytes:
    return bytes(fitted.get_booster().save_raw("ubj"))


def _is_quick(predictor: XGBoostPredictor) -> bool:
    predictor.predict_row([0.0] * WIDTH)
    return isinstance(getattr(predictor._answer_row, "__self__", None), SingleSums)


@pytest.mark.parametrize("kind", ["values", "three classes"])
@settings(max_examples=60, deadline=None)
@given(row=ROWS)
@example(row=[1e-40, 1e-40, 1e-40, 1e-40])
@example(row=[-1e-40, -1e-40, -1e-40, -1e-40])
def test_forests_answer_any_row_as_numpy_walks_it(kind: str, row: list[float]) -> None:
    """Tiny, huge, infinite, missing: one row in LightGBM's library and a table in NumPy give the same mean."""
    predictor = _forest(kind)

    expected = predictor.predict_matrix(np.array([row]))[0]

    np.testing.assert_allclose(predictor.predict_row(row), expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("kind", ["classes", "values", "leafwise"])
@settings(max_examples=60, deadline=None)
@given(row=ROWS)
@example(row=[1e-40, 1e-40, 1e-40, 1e-40])
@example(row=[-1e-40, -1e-40, -1e-40, -1e-40])
def test_boosters_answer_any_row_with_xgboosts_own_bits(kind: str, row: list[float]) -> None:
    """Comparisons, sums and the logistic function in single precision: not one bit differs."""
    predictor = _boosted(kind)

    assert predictor.predict_row(row) == predictor.predict_matrix(np.array([row]))[0].tolist()


@pytest.mark.parametrize("kind", ["classes", "values", "leafwise"])
def test_plain_sums_need_no_call_of_the_library(kind: str) -> None:
    """One output, trees of numbers, a known link: the quick way is found equal, and taken."""
    assert _is_quick(_boosted(kind))


@pytest.mark.parametrize("kind", ["three classes", "dart", "counts"])
def test_models_of_other_sums_stay_with_the_library(kind: str) -> None:
    """Several outputs, dropped trees and other links are XGBoost's own."""
    matrix, _ = _data()
    predictor = _boosted(kind)

    assert not _is_quick(predictor)
    np.testing.assert_array_equal(
        [predictor.predict_row(row) for row in matrix[:5].tolist()], predictor.predict_matrix(matrix[:5])
    )


def _parsed() -> dict[str, Any]:
    """The JSON of a small booster."""
    from xgboost import XGBRegressor

    fitted = XGBRegressor(n_estimators=30, n_jobs=1).fit(*_data())
    parsed: dict[str, Any] = json.loads(bytes(fitted.get_booster().save_raw("json")))
    return parsed


def test_sums_that_are_not_xgboosts_are_found_out() -> None:
    """A base that is off by a bit in the last place is refused, and so is a layout that is not known."""
    predictor, model = _boosted("values"), _parsed()
    library = predictor._library
    right = single_sums(model, 20, library)
    settings_of = model["learner"]["learner_model_param"]
    base = np.float32(settings_of["base_score"].strip("[]"))
    settings_of["base_score"] = f"[{np.nextafter(base, np.float32(9)):.9g}]"
    wrong = single_sums(model, 20, library)

    assert right is not None
    assert wrong is not None
    assert (predictor._agrees(right), predictor._agrees(wrong)) == (True, False)
    assert single_sums({"learner": {}}, 0, library) is None


def test_a_number_next_to_zero_is_not_zero() -> None:
    """By hand: a threshold at 0, where LightGBM by itself takes all below 1e-35 for 0."""
    tree = TreeNodes(
        feature=np.zeros(3, dtype=np.int32),
        threshold=np.array([0.0, math.inf, math.inf]),
        left=np.array([1, -1, -1], dtype=np.int32),
        right=np.array([2, -1, -1], dtype=np.int32),
        missing_left=np.array([True, True, True]),
    )
    walker = walker_of([tree, tree], 1)

    assert walker is not None
    reached = [walker.leaves_of([value]).tolist() for value in (0.0, -1e-40, 1e-40, 1e-50, math.nan, math.inf)]
    assert reached == [[0, 2], [0, 2], [1, 3], [0, 2], [0, 2], [1, 3]]


def test_trees_of_one_leaf_are_walked() -> None:
    """A forest that learnt nothing answers its mean."""
    leaf = {"feature": np.zeros(2, np.int32), "threshold": np.full(2, np.inf), "left": np.arange(2, dtype=np.int32)}
    arrays = ForestArrays(
        roots=np.array([0, 1], dtype=np.int32),
        missing_left=np.ones(2, dtype=np.bool_),
        values=np.array([[1.0], [4.0]]),
        depth=0,
        features=3,
        **leaf,
    )

    assert ForestPredictor(arrays).predict_row([1.0, 2.0, 3.0]) == [2.5]


def test_walks_in_circles_are_refused() -> None:
    """A node that is its own grandchild would never end in a library without a bound."""
    circle = TreeNodes(
        feature=np.zeros(5, dtype=np.int32),
        threshold=np.zeros(5),
        left=np.array([1, 3, -1, 1, -1], dtype=np.int32),
        right=np.array([2, 4, -1, 2, -1], dtype=np.int32),
        missing_left=np.zeros(5, dtype=np.bool_),
    )

    with pytest.raises(ValueError, match="child of one other"):
        as_text([circle], 1)


def test_forests_whose_nodes_are_no_trees_are_refused() -> None:
    """Two parents of one pair of children: an integrity error when the file is read."""
    arrays = ForestArrays(
        roots=np.array([0], dtype=np.int32),
        feature=np.zeros(5, np.int32),
        threshold=np.zeros(5),
        left=np.array([1, 3, 1, 3, 4], dtype=np.int32),
        missing_left=np.zeros(5, dtype=np.bool_),
        values=np.zeros((5, 1)),
        depth=2,
        features=1,
    )

    with pytest.raises(IntegrityError, match="nodes that are no trees"):
        ForestPredictor.from_files(ForestPredictor(arrays).to_files())
