"""The scorer of a package: what serving sees of it, and what it does not load."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.conformal import ConformalRule
from modelyard.core import DataError, IntegrityError, digest_file
from modelyard.packaging import MANIFEST_FILE, GoldenSet, Manifest, Package, Scorer
from modelyard.packaging.golden import largest_difference
from modelyard.problem import Task

_SCORE_ALONE = """
import json, sys
from modelyard.packaging import Scorer
scorer = Scorer.load(sys.argv[1])
rows = [row.features for row in scorer.golden.rows]
scores = scorer.score_rows(rows[:1]), scorer.score_rows(rows)
heavy = ("sklearn", "pandas", "scipy", "lightgbm", "xgboost", "catboost", "interpret", "joblib", "mlflow", "fastapi", "optuna", "pyarrow")
print(json.dumps({"loaded": [name for name in heavy if name in sys.modules], "rows": len(scores[1]),
                  "ok": scorer.verify_golden().ok}))
"""


def _alone(folder: Path) -> dict[str, Any]:
    """Score in a process of its own and say what it loaded."""
    done = subprocess.run([sys.executable, "-c", _SCORE_ALONE, str(folder)], capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("package", ["churn_package", "bike_package", "contract_package"])
def test_scoring_needs_no_training_library(package: str, request: pytest.FixtureRequest) -> None:
    """A process that loads, scores and verifies has loaded no scikit-learn, pandas, SciPy or boosting package."""
    folder = request.getfixturevalue(package).folder

    answer = _alone(folder)

    assert answer == {"loaded": [], "rows": answer["rows"], "ok": True}
    assert answer["rows"] > 50


@pytest.mark.parametrize("family", ["xgboost", "forest", "catboost", "additive"])
def test_other_families_need_no_training_library(family: str, tmp_path: Path, fit_family: Any) -> None:
    """XGBoost, CatBoost, explainable boosting and forests score without their libraries' Python packages too."""
    scorer = fit_family("churn", family).scorer
    folder = tmp_path / "package"
    (folder / "model").mkdir(parents=True)
    row = {column.name: None for column in scorer.contract.columns}
    expected = tuple(scorer.score_rows([row]).tolist())
    golden = {"tolerance": 1e-6, "rows": [{"origin": "validation", "features": row, "expected": list(expected)}]}
    for name, content in scorer._predictor.to_files().items():
        (folder / "model" / name).write_bytes(content)
    for name, value in {
        "plan": scorer.plan.to_dict(),
        "contract": scorer.contract.to_dict(),
        "reference": scorer.profile.to_dict(),
        "golden": golden,
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    files = {path.relative_to(folder).as_posix(): digest_file(path) for path in folder.rglob("*.*")}
    manifest = dataclasses.replace(scorer.manifest, files=files).sealed()
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest.to_dict()))

    assert _alone(folder) == {"loaded": [], "rows": 1, "ok": True}


def test_a_package_scores_as_its_final_model(churn: Any, churn_package: Package) -> None:
    """All validation rows, scored by the package, equal the training run's final model."""
    frame = churn.split.validation.frame
    expected = churn.run.model("final").predict(frame)

    got = Scorer.load(churn_package.folder).score_frame(frame)

    assert largest_difference(got, expected) <= 1e-9


def test_a_scorer_tells_what_serving_needs(churn: Any, churn_package: Package) -> None:
    """Name, version, digest, task, classes, threshold, contract and profile come from the package."""
    scorer = Scorer.load(churn_package)

    assert (scorer.name, scorer.version, scorer.digest) == ("churn", "3", churn_package.manifest.digest)
    assert scorer.task is Task.BINARY
    assert scorer.classes == ("No", "Yes")
    assert scorer.threshold == churn.evaluation.threshold.value
    assert [column.name for column in scorer.contract.columns] == [column.name for column in churn.run.record.columns]
    assert [feature.name for feature in scorer.profile.features][-1] == "score"


def test_binary_labels_follow_the_threshold(churn_package: Package) -> None:
    """A score at the threshold is positive, one just below is not."""
    scorer = Scorer.load(churn_package)
    threshold = scorer.threshold
    assert threshold is not None

    labels = scorer.decide(np.array([threshold, np.nextafter(threshold, 0), 1.0, 0.0]))

    assert labels == ["Yes", "No", "Yes", "No"]


def test_multiclass_labels_are_the_likeliest(contract_package: Package) -> None:
    """Probabilities follow the order of the classes and sum to 1; the label is the likeliest."""
    scorer = Scorer.load(contract_package)
    scores = scorer.score_rows([row.features for row in scorer.golden.rows])

    assert scorer.classes == ("Month-to-month", "One year", "Two year")
    assert scorer.threshold is None
    np.testing.assert_allclose(scores.sum(axis=1), 1.0)
    assert scorer.decide(np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])) == ["One year", "Month-to-month"]


def test_regression_decides_values(bike_package: Package) -> None:
    """For numbers, the decision is the number."""
    scorer = Scorer.load(bike_package)

    assert scorer.classes == ()
    assert scorer.decide(np.array([1.5, -2.0])) == [1.5, -2.0]


def test_a_class_that_training_never_held_scores_zero(fit_family: Any) -> None:
    """Of three classes, two held in training: the third one scores 0, the others sum to 1."""
    scorer = fit_family("churn", "linear").scorer
    plan = dataclasses.replace(
        scorer.plan, task=Task.MULTICLASS, classes=("a", "b", "c"), present=(0, 2), threshold=None
    )
    three = Scorer(
        scorer.manifest, plan, scorer._predictor, contract=scorer.contract, profile=scorer.profile, golden=scorer.golden
    )
    row = {column.name: None for column in scorer.contract.columns}

    scores = three.score_rows([row])

    positive = scorer.score_rows([row])[0]
    np.testing.assert_array_equal(scores, [[1 - positive, 0.0, positive]])


def test_a_package_says_how_sure_it_is(bike: Any, bike_package: Package, contract_package: Package) -> None:
    """Values get the interval that the evaluation calibrated, classes a set that holds at least one of them."""
    bikes, contracts = Scorer.load(bike_package), Scorer.load(contract_package)
    scores = np.array([10.0, 300.0])
    shares = np.array([[0.98, 0.01, 0.01], [0.4, 0.3, 0.3]])
    rule = bike.evaluation.regions.rule
    low, high = rule.intervals.ends(scores)

    assert bikes.conformal == dataclasses.replace(rule, quantiles=bike.evaluation.quantiles.rule)
    assert bikes.describe(scores)["prediction_interval"] == np.column_stack([low, high]).tolist()
    assert contracts.describe(shares)["prediction_set"][0] == [contracts.classes[0]]
    assert len(contracts.describe(shares)["prediction_set"][1]) > 1


def test_a_package_tells_quantiles(bike: Any, bike_package: Package) -> None:
    """The levels that the project file asks for, as the evaluation calibrated them; the metrics file has their figures."""
    quantiles = bike.evaluation.quantiles
    (told,) = Scorer.load(bike_package).describe(np.array([100.0]))["prediction_quantiles"]

    assert list(told) == ["0.05", "0.5", "0.95"]
    assert list(told.values()) == quantiles.rule.values(np.array([100.0]))[0].tolist()
    assert bike_package.read_json("metrics.json")["quantiles"] == json.loads(json.dumps(quantiles.to_dict()))


def test_a_rule_from_before_quantiles_is_read(bike_package: Package) -> None:
    """A package built before there were quantiles has no word of them in its rule, and answers as ever."""
    rule = bike_package.read_json("conformal.json")
    old = ConformalRule.from_dict({name: value for name, value in rule.items() if name != "quantiles"})

    assert old.quantiles is None
    assert list(old.describe(np.array([100.0]), ())) == ["prediction_interval"]


def test_packages_from_before_say_nothing(churn_package: Package) -> None:
    """A package without the file scores as ever and says nothing about how sure it is."""
    files = {name: digest for name, digest in churn_package.manifest.files.items() if name != "conformal.json"}
    old = dataclasses.replace(churn_package, manifest=dataclasses.replace(churn_package.manifest, files=files))
    scorer = Scorer.load(old)

    assert (scorer.conformal, scorer.describe(np.array([0.3]))) == (None, {})
    assert scorer.verify_golden().ok


def test_a_table_without_a_column_is_refused(churn_package: Package) -> None:
    """A column that training had must be there, be it empty."""
    with pytest.raises(DataError, match="missing; got 1 columns without 'Contract'"):
        Scorer.load(churn_package).score_frame(pl.DataFrame({"gender": ["Male"]}))


def test_a_plan_that_does_not_fit_its_model_is_refused(churn_package: Package) -> None:
    """Fewer encodings than the model has features is an integrity error, not a wrong score."""
    scorer = Scorer.load(churn_package)
    plan = dataclasses.replace(scorer.plan, encodings=scorer.plan.encodings[1:])

    with pytest.raises(IntegrityError, match="do not fit together"):
        Scorer(
            scorer.manifest,
            plan,
            scorer._predictor,
            contract=scorer.contract,
            profile=scorer.profile,
            golden=scorer.golden,
        )


def test_a_scorer_that_disagrees_refuses(churn_package: Package) -> None:
    """A golden row that is not reproduced keeps the scorer from answering."""
    scorer = Scorer.load(churn_package)
    assert scorer.require_golden() is scorer
    row = scorer.golden.rows[0]
    wrong = dataclasses.replace(row, expected=(row.expected[0] + 1e-8,))
    scorer.golden = GoldenSet(scorer.golden.tolerance, (wrong, *scorer.golden.rows[1:]))

    parity = scorer.verify_golden()

    assert not parity.ok
    assert parity.max_abs_difference == pytest.approx(1e-8)
    with pytest.raises(IntegrityError, match="does not reproduce its golden rows"):
        scorer.require_golden()


def test_loading_verifies(churn_package: Package, tmp_path: Path) -> None:
    """A scorer is not made of a folder that was tampered with."""
    folder = tmp_path / "copy"
    shutil.copytree(churn_package.folder, folder)
    model = folder / "model" / "lightgbm.txt"
    model.write_text(model.read_text().replace("leaf_value=", "leaf_value=9", 1))

    with pytest.raises(IntegrityError, match=r"lightgbm\.txt has changed"):
        Scorer.load(folder)


def test_the_plan_survives_json(fit_family: Any) -> None:
    """Encodings of every kind, and floats to the last bit, come back."""
    plan = fit_family("bike", "linear").scorer.plan

    again = type(plan).from_dict(json.loads(json.dumps(plan.to_dict())))

    assert again == plan
    assert {type(encoding).__name__ for encoding in plan.encodings} >= {
        "NumericEncoding",
        "CategoryEncoding",
        "BooleanEncoding",
        "DateEncoding",
    }


def test_a_plan_without_encodings_is_refused(fit_family: Any) -> None:
    """A plan cut short is an integrity error."""
    plan = fit_family("bike", "linear").scorer.plan
    content = {name: value for name, value in plan.to_dict().items() if name != "encodings"}

    with pytest.raises(IntegrityError, match="no encodings"):
        type(plan).from_dict(content)


def test_the_manifest_is_kept(churn_package: Package) -> None:
    """Whoever has the scorer has the manifest."""
    scorer = Scorer.load(churn_package)

    assert isinstance(scorer.manifest, Manifest)
    assert scorer.manifest.requirements["lightgbm"].count(".") == 2
