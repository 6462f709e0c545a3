"""Native predictors: files, damage, threads, and the corners of each library."""

import io
import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from modelyard.core import IntegrityError, ModelyardError, StateError
from modelyard.packaging.compile import compile_estimator
from modelyard.packaging.predictors import (
    AdditivePredictor,
    ConstantPredictor,
    ForestPredictor,
    GaussianPredictor,
    KernelPredictor,
    LightGBMPredictor,
    LinearPredictor,
    Link,
    NeighboursPredictor,
    NetworkPredictor,
    ObliviousPredictor,
    Predictor,
    XGBoostPredictor,
    flatten_trees,
    load_predictor,
)
from modelyard.packaging.predictors.native_library import load_library
from modelyard.packaging.predictors.tables import AdditiveTables, ObliviousTrees
from modelyard.problem import Task

Matrix = npt.NDArray[np.float64]

KINDS = (
    "constant",
    "linear",
    "lightgbm",
    "xgboost",
    "forest",
    "neighbours",
    "kernel",
    "network",
    "oblivious",
    "gaussian",
    "additive",
)


def _rows(gaps: bool) -> tuple[Matrix, Matrix]:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(400, 5))
    target = (matrix[:, 0] + matrix[:, 1] ** 2 + random.normal(size=400) > 1).astype(np.float64)
    if gaps:
        matrix[random.random(matrix.shape) < 0.2] = np.nan
    return matrix, target


def _predictor(kind: str) -> Predictor:
    """A small fitted predictor of each kind."""
    matrix, target = _rows(gaps=False)
    if kind == "lightgbm":
        from lightgbm import LGBMClassifier

        fitted = LGBMClassifier(n_estimators=10, n_jobs=1, verbosity=-1).fit(matrix, target)
        return LightGBMPredictor(fitted.booster_.model_to_string())
    if kind == "xgboost":
        from xgboost import XGBClassifier

        fitted = XGBClassifier(n_estimators=10, n_jobs=1).fit(matrix, target)
        return XGBoostPredictor(bytes(fitted.get_booster().save_raw("ubj")))
    if kind == "forest":
        from sklearn.ensemble import RandomForestClassifier

        fitted = RandomForestClassifier(5, random_state=0).fit(matrix, target)
        return ForestPredictor(flatten_trees([tree.tree_ for tree in fitted.estimators_], 5, [1]))
    return _of_arrays(kind, matrix, target)


def _of_arrays(kind: str, matrix: Matrix, target: Matrix) -> Predictor:
    """A predictor of numbers that nothing has fitted."""
    layers = [matrix[:5, :3], matrix[5:8, :1]]
    made: dict[str, Callable[[], Predictor]] = {
        "constant": lambda: ConstantPredictor([0.25]),
        "linear": lambda: LinearPredictor([[0.5, -1.0, 0.25, 0.0, 2.0]], [0.125], Link.LOGISTIC),
        "neighbours": lambda: NeighboursPredictor(matrix, target[:, np.newaxis], 9),
        "kernel": lambda: KernelPredictor(
            matrix[:50], matrix[50:100, 0][np.newaxis], [0.1], gamma=0.2, is_classes=True
        ),
        "network": lambda: NetworkPredictor(layers, [np.zeros(3), np.ones(1)], bound=10.0, link=Link.LOGISTIC),
        "gaussian": lambda: GaussianPredictor(matrix[:2], np.abs(matrix[2:4]), np.log([0.25, 0.75])),
        "additive": lambda: AdditivePredictor(_curve_and_surface(), Link.LOGISTIC),
        "oblivious": lambda: ObliviousPredictor(_two_trees(), Link.LOGISTIC),
    }
    return made[kind]()


def _curve_and_surface() -> AdditiveTables:
    """A curve of feature 0 with cuts at 1 and 2, and a surface of features 0 (cut at 1) and 4 (cut at 0)."""
    return AdditiveTables(
        axis_features=np.array([0, 0, 4]),
        axis_starts=np.array([0, 2, 3, 4]),
        cuts=np.array([1.0, 2.0, 1.0, 0.0]),
        terms=np.array([[0, -1], [1, 2]]),
        term_starts=np.array([0, 5]),
        scores=np.concatenate([[-1.0, 10.0, 20.0, 30.0, 0.0], np.arange(16.0)])[:, np.newaxis],
        intercept=np.array([0.5]),
        features=5,
    )


def _two_trees() -> ObliviousTrees:
    """A tree of two levels (features 0 and 3), and one of nine that asks the same nine times; missing is above in 3."""
    return ObliviousTrees(
        feature=np.array([0, 3]),
        border=np.array([0.5, float(np.float32(0.1))]),
        missing_above=np.array([False, True]),
        places=np.array([[0, 1, *[-1] * 7], [1] * 9]),
        starts=np.array([0, 4]),
        leaves=np.concatenate([np.array([1.0, 2.0, 4.0, 8.0]), np.arange(512) / 16])[:, np.newaxis],
        base=np.array([0.25]),
        features=5,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_files_bring_the_same_predictor_back(kind: str) -> None:
    """What was written to files answers bit for bit as before, for one row and for many."""
    predictor = _predictor(kind)
    matrix, _ = _rows(gaps=False)

    again = load_predictor(kind, predictor.to_files())

    np.testing.assert_array_equal(again.predict_matrix(matrix), predictor.predict_matrix(matrix))
    assert again.predict_row(matrix[7].tolist()) == predictor.predict_row(matrix[7].tolist())
    assert (again.features, again.outputs) == (predictor.features, predictor.outputs)


@pytest.mark.parametrize("kind", KINDS)
def test_missing_files_are_named(kind: str) -> None:
    """A predictor without its files is an integrity error, not a crash."""
    with pytest.raises(IntegrityError, match="model/"):
        load_predictor(kind, {})


@pytest.mark.parametrize("kind", KINDS)
def test_garbage_is_refused(kind: str) -> None:
    """Files of garbage are an integrity error, also where a C library reads them."""
    files = dict.fromkeys(_predictor(kind).to_files(), b"garbage")

    with pytest.raises(IntegrityError, match="model/"):
        load_predictor(kind, files)


def test_an_unknown_kind_names_the_known_ones() -> None:
    """A plan of the future is refused with the kinds that this version knows."""
    with pytest.raises(IntegrityError, match="constant, linear, lightgbm, xgboost, forest"):
        load_predictor("quantum", {})


@pytest.mark.parametrize("kind", KINDS)
def test_threads_may_share_a_predictor(kind: str) -> None:
    """Four threads that score different rows at once get each their own answer."""
    predictor = _predictor(kind)
    matrix, _ = _rows(gaps=False)
    expected = predictor.predict_matrix(matrix)[:, 0]
    wrong: list[int] = []

    def work(start: int) -> None:
        mine = range(start, len(matrix), 4)
        got = {place: predictor.predict_row(matrix[place].tolist())[0] for place in mine}
        wrong.extend(place for place in mine if abs(got[place] - expected[place]) > 1e-12)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_early_stopped_boosters_use_their_best_round() -> None:
    """Rounds after the best one are in XGBoost's file, but are not used."""
    from xgboost import XGBRegressor

    matrix, target = _rows(gaps=True)
    fitted = XGBRegressor(n_estimators=200, early_stopping_rounds=3, n_jobs=1)
    fitted.fit(matrix[:200], target[:200], eval_set=[(matrix[200:], target[200:])], verbose=False)

    predictor = XGBoostPredictor(bytes(fitted.get_booster().save_raw("ubj")), fitted.best_iteration + 1)

    assert fitted.get_booster().num_boosted_rounds() > fitted.best_iteration + 1
    np.testing.assert_array_equal(predictor.predict_matrix(matrix)[:, 0], fitted.predict(matrix))


@pytest.mark.parametrize("gaps", [False, True])
def test_forests_send_missing_values_where_scikit_learn_does(gaps: bool) -> None:
    """A forest trained with or without gaps gives scikit-learn's probabilities, row by row and together."""
    from sklearn.ensemble import ExtraTreesClassifier

    matrix, target = _rows(gaps=gaps)
    fitted = ExtraTreesClassifier(20, random_state=0).fit(matrix, target + (matrix[:, 2] > 1))
    predictor = ForestPredictor(flatten_trees([tree.tree_ for tree in fitted.estimators_], 5, [0, 1, 2]))

    expected = fitted.predict_proba(matrix)

    assert abs(predictor.predict_matrix(matrix) - expected).max() < 1e-12
    assert abs(np.array([predictor.predict_row(row) for row in matrix.tolist()]) - expected).max() < 1e-12


def test_forests_compare_in_single_precision() -> None:
    """A number just above a threshold in double precision, but not in single, goes left, as in scikit-learn."""
    from sklearn.ensemble import RandomForestRegressor

    matrix = np.array([[16_777_216.0], [16_777_220.0]] * 20)
    fitted = RandomForestRegressor(3, random_state=0).fit(matrix, matrix[:, 0])
    predictor = ForestPredictor(flatten_trees([tree.tree_ for tree in fitted.estimators_], 1, [0]))
    between = np.array([[16_777_218.0 + step * 0.01] for step in range(-50, 50)])

    np.testing.assert_array_equal(predictor.predict_matrix(between)[:, 0], fitted.predict(between))


def _forest_files(**changes: Any) -> dict[str, bytes]:
    """The files of a small forest with arrays exchanged."""
    content = _predictor("forest").to_files()["forest.npz"]
    with np.load(io.BytesIO(content)) as archive:
        arrays = {name: archive[name] for name in archive.files}
    buffer = io.BytesIO()
    np.savez(buffer, **(arrays | changes))
    return {"forest.npz": buffer.getvalue()}


@pytest.mark.parametrize(
    "changes",
    [
        {"left": np.array([10**6], dtype=np.int32)},
        {"roots": np.array([-1], dtype=np.int32)},
        {"shape": np.array([3])},
        {"feature": np.array([{"a": 1}], dtype=object)},
    ],
    ids=["outside", "negative root", "no number of features", "pickled objects"],
)
def test_forests_that_would_leave_their_arrays_are_refused(changes: dict[str, Any]) -> None:
    """Crafted arrays, and pickled ones, are refused before they are walked."""
    with pytest.raises(IntegrityError, match=r"model/forest\.npz"):
        load_predictor("forest", _forest_files(**changes))


def _damaged(kind: str, **changes: Any) -> dict[str, bytes]:
    """The archive of a small predictor with arrays exchanged."""
    ((name, content),) = _predictor(kind).to_files().items()
    with np.load(io.BytesIO(content)) as archive:
        arrays = {key: archive[key] for key in archive.files}
    buffer = io.BytesIO()
    np.savez(buffer, **(arrays | changes))
    return {name: buffer.getvalue()}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("neighbours", {"answers": np.zeros((3, 1))}),
        ("neighbours", {"neighbours": np.array([0])}),
        ("neighbours", {"known": np.full((400, 5), np.nan)}),
        ("kernel", {"weights": np.zeros((1, 7))}),
        ("kernel", {"settings": np.array([1.0])}),
        ("network", {"offsets_0": np.zeros(2)}),
        ("network", {"weights_1": np.zeros((4, 1))}),
        ("network", {"settings": np.array([10.0, 9.0])}),
        ("network", {"settings": np.array([{"a": 1}], dtype=object)}),
        ("gaussian", {"variances": np.zeros((2, 5))}),
        ("gaussian", {"log_priors": np.zeros(3)}),
        ("gaussian", {"means": np.zeros((3, 5))}),
        ("additive", {"axis_features": np.array([0, 0, 9])}),
        ("additive", {"axis_starts": np.array([0, 2, 3, 9])}),
        ("additive", {"axis_starts": np.array([0, 2])}),
        ("additive", {"terms": np.array([[0, -1], [1, 3]])}),
        ("additive", {"term_starts": np.array([0, 6])}),
        ("additive", {"intercept": np.zeros(2)}),
        ("additive", {"settings": np.array([5.0, 9.0])}),
        ("oblivious", {"feature": np.array([0, 5])}),
        ("oblivious", {"feature": np.array([0])}),
        ("oblivious", {"places": np.array([[2], [0]])}),
        ("oblivious", {"places": np.zeros((2, 17))}),
        ("oblivious", {"starts": np.array([0, 5])}),
        ("oblivious", {"base": np.zeros(2)}),
        ("oblivious", {"settings": np.array([5.0, 7.0])}),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(kind: str, changes: dict[str, Any]) -> None:
    """Wrong shapes, unknown settings, not-a-number and pickled objects are an integrity error that names the file."""
    with pytest.raises(IntegrityError, match=rf"model/{kind}\.npz"):
        load_predictor(kind, _damaged(kind, **changes))


def test_oblivious_trees_read_the_leaf_from_the_bits() -> None:
    """By hand: the lowest bit is the first level's; missing follows its direction; borders are exceeded, not met."""
    predictor = ObliviousPredictor(_two_trees(), Link.IDENTITY)
    gap = float("nan")
    rows = [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [0.5, 0.0, 0.0, 0.1, 0.0],
        [0.6, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.2, 0.0],
        [gap, 0.0, 0.0, gap, 0.0],
        [9e99, 0.0, 0.0, 9e99, 0.0],
    ]
    expected = [1.25, 1.25, 2.25, 4.25 + 511 / 16, 4.25 + 511 / 16, 8.25 + 511 / 16]

    assert [predictor.predict_row(row)[0] for row in rows] == expected
    assert predictor.predict_matrix(np.array(rows))[:, 0].tolist() == expected


def test_additive_terms_are_looked_up_by_bin() -> None:
    """By hand: missing is bin 0, a value at a cut lies above it, and a surface is read row by row."""
    predictor = AdditivePredictor(_curve_and_surface(), Link.IDENTITY)
    gap = float("nan")
    places = [(0.0, -1.0), (1.0, 0.0), (2.0, 5.0), (gap, gap), (9e99, -9e99)]
    rows = [[first, 0.0, 0.0, 0.0, last] for first, last in places]
    expected = [0.5 + 10 + 5, 0.5 + 20 + 10, 0.5 + 30 + 10, 0.5 - 1 + 0, 0.5 + 30 + 9]

    assert [predictor.predict_row(row)[0] for row in rows] == expected
    assert predictor.predict_matrix(np.array(rows))[:, 0].tolist() == expected


@pytest.mark.parametrize("depth", [3, 8, 10])
def test_catboost_is_answered_as_by_its_library_wherever_values_are_missing(depth: int) -> None:
    """Gaps in training and in other features, shallow and deep trees: as CatBoost to 1e-9, one row or many."""
    from catboost import CatBoostClassifier

    matrix, target = _rows(gaps=True)
    matrix[:, 2] = np.arange(400)
    settings = {"depth": depth, "iterations": 30, "verbose": False, "allow_writing_files": False, "thread_count": 1}
    for mode in ("Min", "Max"):
        fitted = CatBoostClassifier(**settings, nan_mode=mode, random_seed=0).fit(matrix, target)
        predictor = compile_estimator(fitted, Task.BINARY, "mine")
        matrix[::9, 2] = np.nan
        expected = fitted.predict_proba(matrix)[:, 1]
        single = np.array([predictor.predict_row(row)[0] for row in matrix.tolist()])

        np.testing.assert_allclose(predictor.predict_matrix(matrix)[:, 0], expected, rtol=0, atol=1e-9)
        np.testing.assert_allclose(single, expected, rtol=0, atol=1e-9)
        matrix[:, 2] = np.arange(400)


def test_catboost_of_other_shapes_is_refused() -> None:
    """Trees that are not symmetric, and losses whose answers need another link, are named."""
    from catboost import CatBoostRegressor

    matrix, target = _rows(gaps=False)
    settings = {"iterations": 3, "verbose": False, "allow_writing_files": False, "thread_count": 1}
    lossguide = CatBoostRegressor(**settings, grow_policy="Lossguide").fit(matrix, target)
    poisson = CatBoostRegressor(**settings, loss_function="Poisson").fit(matrix, target)

    with pytest.raises(StateError, match="trees that are not symmetric"):
        compile_estimator(lossguide, Task.REGRESSION, "mine")
    with pytest.raises(StateError, match="got Poisson"):
        compile_estimator(poisson, Task.REGRESSION, "mine")


def test_linear_coefficients_survive_json_exactly() -> None:
    """The shortest text of a double reads back as the same double."""
    weights = np.random.default_rng(0).normal(size=(3, 7)) * 10.0 ** np.arange(-3, 4)
    predictor = LinearPredictor(weights, [0.1, 0.2, 0.3], Link.SOFTMAX)

    content = json.loads(predictor.to_files()["linear.json"])

    np.testing.assert_array_equal(np.array(content["coefficients"]), weights)


def test_classes_against_the_rest_are_scaled_to_one() -> None:
    """By hand: odds of a half and of three quarters; and no zero by zero where each class is out of sight."""
    predictor = LinearPredictor([[0.0], [1.0]], [0.0, np.log(3)], Link.AGAINST_REST)
    expected = [0.5 / 1.25, 0.75 / 1.25]
    rare = LinearPredictor([[1.0], [1.0]], [-2000.0, -2000.0 + np.log(3)], Link.AGAINST_REST)

    np.testing.assert_allclose(predictor.predict_row([0.0]), expected, rtol=1e-12)
    np.testing.assert_allclose(predictor.predict_matrix(np.zeros((1, 1))), [expected], rtol=1e-12)
    np.testing.assert_allclose(rare.predict_row([0.0]), [0.25, 0.75], rtol=1e-9)
    np.testing.assert_allclose(rare.predict_matrix(np.zeros((1, 1))), [[0.25, 0.75]], rtol=1e-9)


def test_naive_bayes_is_bayes_rule() -> None:
    """By hand: densities of two normal distributions, weighted by their shares."""
    predictor = GaussianPredictor([[0.0], [2.0]], [[1.0], [4.0]], np.log([0.5, 0.5]))
    first, second = np.exp(-0.5), np.exp(-0.125) / 2

    assert predictor.predict_row([1.0]) == pytest.approx([second / (first + second)], rel=1e-12)


def test_linear_rejects_coefficients_that_do_not_fit() -> None:
    """Two outputs need two intercepts."""
    files = {"linear.json": b'{"link": "identity", "coefficients": [[1.0], [2.0]], "intercepts": [0.0]}'}

    with pytest.raises(IntegrityError, match="one intercept"):
        load_predictor("linear", files)


def test_a_library_that_is_not_installed_is_named() -> None:
    """The error says which package scoring needs."""
    with pytest.raises(ModelyardError, match="needs the library of 'no_such_booster'"):
        load_library("no_such_booster", "lib_none")
