"""Estimators without a native form: kept by skops, read only with an operator's yes, which no package can give itself."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.core import ConfigError, GateRefusedError, IntegrityError, MissingExtraError, StateError
from modelyard.packaging import PROTOCOL, Package, Scorer, load_package
from modelyard.packaging.compile import compile_estimator
from modelyard.packaging.golden import largest_difference
from modelyard.packaging.predictors import SkopsPredictor, SkopsTrust, load_predictor, operators_trust
from modelyard.packaging.verification import Outcome, verify_package
from modelyard.problem import Task
from modelyard.serving.endpoint import activate

VARIABLE = "MODELYARD_ALLOW_SKOPS"
KNOWN = SkopsTrust()

OWN = """
import numpy as np

class Shares:
    '''The share of a class among all training rows, and a little of the first feature.'''

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.n_features_in_ = X.shape[1]
        self.share_ = float(np.mean(y))
        return self

    def predict_proba(self, X):
        share = np.clip(self.share_ + 1e-3 * X[:, 0], 0.0, 1.0)
        return np.column_stack([1 - share, share])

class Trap:
    '''Leaves a trace when it is made from a file.'''

    def __init__(self):
        self.classes_ = np.array([0, 1])

    def __setstate__(self, state):
        open(TRACE, "w").close()
        self.__dict__.update(state)

    def predict_proba(self, X):
        return np.zeros((len(X), 2))
"""


@pytest.fixture
def rows() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Features and three classes."""
    random = np.random.default_rng(0)
    matrix = random.normal(size=(120, 4))
    return matrix, np.digitize(matrix[:, 0], [-0.5, 0.5])


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the user's own beside the project."""
    trace = tmp_path / "trace"
    (tmp_path / "models_of_mine.py").write_text(OWN + f"\nTRACE = {str(trace)!r}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import importlib

    sys.modules.pop("models_of_mine", None)
    return importlib.import_module("models_of_mine")


def _estimators() -> Mapping[str, Any]:
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.neighbors import KNeighborsClassifier

    return {
        "neighbours": KNeighborsClassifier(5),
        "histograms": HistGradientBoostingClassifier(max_iter=5),
        "quadratic": QuadraticDiscriminantAnalysis(),
    }


@pytest.mark.parametrize("name", ["neighbours", "histograms", "quadratic"])
def test_an_estimator_is_kept_and_answers_as_it_did(name: str, rows: Any) -> None:
    """Three classes and two: alone, in a batch, and read back from its files."""
    matrix, classes = rows
    for truth in (classes, (classes > 0).astype(np.int64)):
        estimator = _estimators()[name].fit(matrix, truth)
        expected = estimator.predict_proba(matrix)
        expected = expected if expected.shape[1] > 2 else expected[:, 1:]

        predictor = compile_estimator(estimator, Task.BINARY, "mine")
        again = load_predictor("skops", predictor.to_files(), KNOWN)

        assert (again.kind, again.features, again.outputs) == ("skops", 4, expected.shape[1])
        np.testing.assert_array_equal(again.predict_matrix(matrix), expected)
        alone = [again.predict_row(row.tolist()) for row in matrix[:9]]
        np.testing.assert_allclose(alone, expected[:9], rtol=0, atol=1e-12)
        assert again.predict_matrix(matrix[:0]).shape == (0, expected.shape[1])


def test_values_are_predicted_too(rows: Any) -> None:
    """A regressor without a native form."""
    from sklearn.gaussian_process import GaussianProcessRegressor

    matrix, _ = rows
    estimator = GaussianProcessRegressor().fit(matrix, matrix.sum(axis=1))

    predictor = compile_estimator(estimator, Task.REGRESSION, "mine")

    np.testing.assert_array_equal(predictor.predict_matrix(matrix)[:, 0], estimator.predict(matrix))


def test_without_a_word_it_is_not_read(rows: Any) -> None:
    """Refused in one sentence with the cure, before anything of the file is looked at."""
    matrix, classes = rows
    files = compile_estimator(_estimators()["quadratic"].fit(matrix, classes), Task.MULTICLASS, "mine").to_files()

    with pytest.raises(GateRefusedError, match=r"nobody has allowed.*--allow-skops known"):
        load_predictor("skops", {**files, "estimator.skops": b"no archive at all"})


def test_a_type_of_ones_own_must_be_named(own_module: Any, rows: Any) -> None:
    """`known` is not enough; the error names the type, and with its name the estimator answers."""
    matrix, classes = rows
    estimator = own_module.Shares().fit(matrix, (classes > 0).astype(np.int64))
    predictor = compile_estimator(estimator, Task.BINARY, "mine")
    assert isinstance(predictor, SkopsPredictor)
    files = predictor.to_files()

    assert predictor.types == ("models_of_mine.Shares",)
    with pytest.raises(GateRefusedError, match=r"got models_of_mine\.Shares.*--allow-skops models_of_mine\.Shares"):
        load_predictor("skops", files, KNOWN)

    again = load_predictor("skops", files, SkopsTrust.parse("known,models_of_mine.Shares"))
    np.testing.assert_array_equal(again.predict_matrix(matrix)[:, 0], estimator.predict_proba(matrix)[:, 1])


def test_nothing_runs_before_the_types_were_looked_at(own_module: Any) -> None:
    """A class that acts when it is made from a file has left no trace when it is refused."""
    predictor = compile_estimator(own_module.Trap(), Task.BINARY, "mine")
    trace = Path(own_module.TRACE)
    trace.unlink(missing_ok=True)

    with pytest.raises(GateRefusedError, match=r"models_of_mine\.Trap"):
        load_predictor("skops", predictor.to_files(), KNOWN)

    assert not trace.exists()


def test_what_even_skops_cannot_keep_is_refused(rows: Any) -> None:
    """An open file inside an estimator."""
    matrix, classes = rows
    estimator = _estimators()["quadratic"].fit(matrix, classes)
    with Path(__file__).open() as estimator.stream, pytest.raises(StateError, match="neither a native form nor one"):
        compile_estimator(estimator, Task.MULTICLASS, "mine")


def test_another_version_of_the_library_is_refused(rows: Any) -> None:
    """Attributes may mean something else there."""
    matrix, classes = rows
    files = compile_estimator(_estimators()["quadratic"].fit(matrix, classes), Task.MULTICLASS, "mine").to_files()
    settings = json.loads(files["skops.json"]) | {"library": "0.24.2"}

    with pytest.raises(IntegrityError, match=r"another version of scikit-learn.*0\.24\.2 there"):
        load_predictor("skops", {**files, "skops.json": json.dumps(settings).encode()}, KNOWN)


def test_a_damaged_file_is_refused(rows: Any) -> None:
    """No archive, with the operator's yes."""
    matrix, classes = rows
    files = compile_estimator(_estimators()["quadratic"].fit(matrix, classes), Task.MULTICLASS, "mine").to_files()

    with pytest.raises(IntegrityError, match=r"estimator\.skops"):
        load_predictor("skops", {**files, "estimator.skops": b"no archive at all"}, KNOWN)


def test_without_skops_the_extra_is_named(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cure is one command."""
    matrix, classes = rows
    estimator = _estimators()["quadratic"].fit(matrix, classes)
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'modelyard\[skops\]'"):
        compile_estimator(estimator, Task.MULTICLASS, "mine")


@pytest.mark.parametrize("text", ["yes", "", " , ", "known,Model"])
def test_an_unclear_yes_is_no_yes(text: str) -> None:
    """It must say `known` or full names."""
    with pytest.raises(ConfigError, match="is not clear"):
        SkopsTrust.parse(text)


def test_the_operators_word_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said there, it holds for every package that the process reads."""
    monkeypatch.delenv(VARIABLE, raising=False)
    assert operators_trust() is None

    monkeypatch.setenv(VARIABLE, "known, a.B")
    assert operators_trust() == SkopsTrust(("a.B",))
    assert SkopsTrust.parse(SkopsTrust(("a.B",)).in_environment()[VARIABLE]) == SkopsTrust(("a.B",))


@pytest.fixture(scope="module")
def package(churn: Any, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """A package whose winner is a histogram booster of scikit-learn's, as a custom estimator would be."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    class Run:
        """The run, with another final model."""

        record = churn.run.record
        out_of_fold = staticmethod(churn.run.out_of_fold)

        @staticmethod
        def model(which: str) -> Any:
            real = churn.run.model(which)
            train = churn.split.train.frame
            truth = (train["Churn"] == "Yes").to_numpy().astype(np.int64)
            booster = HistGradientBoostingClassifier(max_iter=8, random_state=0)
            return dataclasses.replace(real, estimator=booster.fit(real.encoder.transform(train), truth), family="mine")

    built: Package = churn.build(tmp_path_factory.mktemp("skops") / "mine-3", run=Run())
    return built


def test_a_package_names_what_must_be_allowed(package: Package) -> None:
    """In the manifest, for people; with the libraries among the requirements, and the protocol that knows of it."""
    manifest = package.manifest

    assert manifest.protocol == PROTOCOL
    assert manifest.skops == ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)
    assert {"skops", "scikit-learn"} <= set(manifest.requirements)
    assert load_package(package.folder).manifest == manifest
    assert "no native form" in package.read("card.md").decode()


def test_a_package_is_read_only_with_a_yes(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    """By argument or by the environment; then its golden rows are answered as in training."""
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(GateRefusedError, match="nobody has allowed"):
        Scorer.load(package)
    held_back = verify_package(package.folder)
    monkeypatch.setenv(VARIABLE, "known")
    scorer = Scorer.load(package)
    rows = [row.features for row in scorer.golden.rows]

    assert (held_back.ok, held_back.check("parity").outcome) == (False, Outcome.SKIPPED)
    assert scorer.verify_golden().ok
    assert verify_package(package.folder).ok
    alone = np.concatenate([scorer.score_rows([row]) for row in rows])
    assert largest_difference(alone, scorer.score_rows(rows)) <= 1e-12


def test_rows_that_come_together_share_a_call(
    package: Package, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A row costs what a table costs; who serves such a package is told."""
    scorer = Scorer.load(package, KNOWN)
    rows = [row.features for row in scorer.golden.rows][:5]
    calls: list[int] = []
    predict = SkopsPredictor.predict_matrix

    def counted(self: SkopsPredictor, matrix: Any) -> Any:
        calls.append(len(matrix))
        return predict(self, matrix)

    monkeypatch.setattr(SkopsPredictor, "predict_matrix", counted)

    together = scorer.score_each(rows)

    assert calls == [5]
    assert together == scorer.score_rows(rows).tolist()
    assert activate(scorer).scorer.is_fallback
    assert "an estimator without a native form answers" in caplog.text


_SERVE = """
import sys
from modelyard.serving.endpoint import activate
from pathlib import Path
try:
    model = activate(Path(sys.argv[1]))
    print(model.is_verified, "sklearn" in sys.modules)
except Exception as error:
    print(type(error).__name__, "sklearn" in sys.modules)
"""


@pytest.mark.parametrize(
    ("word", "answer"), [(None, "GateRefusedError False"), pytest.param("known", "True True", marks=pytest.mark.slow)]
)
def test_serving_loads_the_library_only_with_a_yes(package: Package, word: str | None, answer: str) -> None:
    """Without one neither scikit-learn nor skops is imported."""
    import os

    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment |= {VARIABLE: word} if word else {}
    words = [sys.executable, "-c", _SERVE, str(package.folder)]

    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)

    assert done.stdout.strip() == answer


def test_a_package_cannot_allow_itself(own_module: Any, rows: Any) -> None:
    """Whatever its files say: types are taken from the estimator's file, and held against the operator's word."""
    matrix, classes = rows
    estimator = own_module.Shares().fit(matrix, (classes > 0).astype(np.int64))
    files = compile_estimator(estimator, Task.BINARY, "mine").to_files()
    settings = json.loads(files["skops.json"]) | {"types": [], "trusted": ["models_of_mine.Shares"]}

    with pytest.raises(GateRefusedError, match=r"models_of_mine\.Shares"):
        load_predictor("skops", {**files, "skops.json": json.dumps(settings).encode()}, KNOWN)
