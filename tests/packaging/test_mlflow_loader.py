"""MLflow loads a package as it loads its own, in a process of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import yaml

from modelyard.core import DataError, IntegrityError
from modelyard.packaging import GoldenSet, Package, Scorer
from modelyard.packaging.mlflow_loader import PyfuncModel, _load_pyfunc

ROOT = Path(__file__).parents[2]

_PREDICT = """
import sys
import mlflow.pyfunc, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
table = pd.read_parquet(sys.argv[2])
model.predict(table).to_parquet(sys.argv[3])
"""


def _by_mlflow(package: Package, table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """What ``mlflow.pyfunc.load_model(path).predict(table)`` gives, in a fresh process."""
    table.to_parquet(folder / "in.parquet")
    command = [sys.executable, "-c", _PREDICT, str(package.folder), str(folder / "in.parquet"), str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return pd.read_parquet(folder / "out")


def _pandas(frame: pl.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: frame[name].to_list() for name in frame.columns})


@pytest.mark.parametrize(
    ("project", "package", "columns"),
    [
        ("churn", "churn_package", ["prediction", "score"]),
        ("bike", "bike_package", ["prediction"]),
        (
            "contract_types",
            "contract_package",
            ["prediction", "score", "score.Month-to-month", "score.One year", "score.Two year"],
        ),
    ],
)
def test_mlflow_predicts_as_training_did(
    project: str, package: str, columns: list[str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Labels and scores equal those of the training pipeline, under MLflow's own loader."""
    built, source = request.getfixturevalue(package), request.getfixturevalue(project)
    frame = source.split.validation.frame
    scorer = Scorer.load(built)
    expected = source.run.model("final").predict(frame)

    answer = _by_mlflow(built, _pandas(frame), tmp_path)

    assert list(answer.columns) == columns
    assert answer["prediction"].tolist() == pytest.approx(scorer.decide(expected))
    if expected.ndim == 1 and scorer.classes:
        np.testing.assert_allclose(answer["score"], expected, atol=1e-12)
    if expected.ndim == 2:
        np.testing.assert_allclose(answer[columns[2:]], expected, atol=1e-12)
        np.testing.assert_allclose(answer["score"], expected.max(axis=1), atol=1e-12)


@pytest.mark.slow
def test_the_requirements_are_all_that_it_needs(churn: Any, churn_package: Package, tmp_path: Path) -> None:
    """A new environment with MLflow and what requirements.txt names, modelyard as a wheel of its own, predicts the same."""
    frame = churn.split.validation.frame
    _pandas(frame).to_parquet(tmp_path / "in.parquet")
    wheels, python = tmp_path / "wheels", tmp_path / "new" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "new")], check=True)
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT)], check=True)
    needed = ["--requirement", str(churn_package.folder / "requirements.txt"), "mlflow-skinny", "pandas"]
    pins = ["--constraint", str(ROOT / "constraints.txt"), "--find-links", str(wheels)]
    subprocess.run([*pip, "install", *pins, *needed], check=True)
    command = [
        str(python),
        "-c",
        _PREDICT,
        str(churn_package.folder),
        *(str(tmp_path / name) for name in ("in.parquet", "out")),
    ]

    subprocess.run(command, check=True, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"})

    scores = Scorer.load(churn_package).score_frame(frame)
    assert pd.read_parquet(tmp_path / "out")["score"].tolist() == scores.tolist()


def test_missing_values_of_every_spelling_mean_the_same(churn_package: Package) -> None:
    """None, NaN, NaT and pandas.NA, in numbers and in text, score as null does: the null trap of one-row frames."""
    model = PyfuncModel(Scorer.load(churn_package))
    row = model.scorer.golden.rows[0].features
    numbers, texts = ["tenure", "TotalCharges"], ["Contract", "gender"]
    expected = model.scorer.score_rows([{**row, **dict.fromkeys([*numbers, *texts])}])[0]

    for missing in (None, np.nan, pd.NaT, pd.NA):
        table = pd.DataFrame([{**row, **dict.fromkeys([*numbers, *texts], missing)}])
        assert model.predict(table)["score"].tolist() == [expected]


def test_tables_of_every_dtype_give_the_same(churn: Any, churn_package: Package) -> None:
    """Object, nullable, categorical, Arrow-backed and small integer columns: the same rows, the same scores."""
    frame = churn.split.validation.frame[:40]
    model = PyfuncModel(Scorer.load(churn_package))
    plain = _pandas(frame)
    expected = model.scorer.score_frame(frame).tolist()

    tables = {
        "plain": plain,
        "object": plain.astype(object),
        "nullable": plain.convert_dtypes(),
        "arrow": plain.convert_dtypes(dtype_backend="pyarrow"),
        "category": plain.astype({"gender": "category", "Contract": "category"}),
        "small integers": plain.astype({"tenure": "int8"}),
        "text": plain.astype({"tenure": str}),
        "list of rows": plain.to_dict("records"),
    }

    for table in tables.values():
        assert model.predict(table)["score"].tolist() == expected


def test_dates_come_as_timestamps_or_text(bike: Any, bike_package: Package) -> None:
    """Timestamps, Python datetimes and ISO 8601 text score the same; so do Booleans with gaps."""
    frame = bike.split.validation.frame[:20]
    model = PyfuncModel(Scorer.load(bike_package))
    plain = _pandas(frame)
    expected = model.scorer.score_frame(frame).tolist()
    texts = plain.assign(timestamp=[moment.isoformat() for moment in frame["timestamp"].to_list()])
    objects = plain.astype({"timestamp": object})
    gaps = frame.with_columns(pl.when(pl.int_range(pl.len()) > 3).then("workingday"))

    assert model.predict(plain)["prediction"].tolist() == pytest.approx(expected)
    assert model.predict(texts)["prediction"].tolist() == pytest.approx(expected)
    assert model.predict(objects)["prediction"].tolist() == pytest.approx(expected)
    assert model.predict(_pandas(gaps))["prediction"].tolist() == pytest.approx(model.scorer.score_frame(gaps).tolist())


def test_the_index_is_kept(churn: Any, churn_package: Package) -> None:
    """Rows can be joined back by their index, whatever it is; extra columns and their order do not matter."""
    plain = _pandas(churn.split.validation.frame[:3]).iloc[:, ::-1]
    plain.index = pd.Index(["x", "y", "x"])

    answer = PyfuncModel(Scorer.load(churn_package)).predict(plain)

    assert list(answer.index) == ["x", "y", "x"]


def test_an_empty_table_gives_an_empty_answer(churn: Any, churn_package: Package) -> None:
    """No rows in, no rows out, the columns there."""
    answer = PyfuncModel(Scorer.load(churn_package)).predict(_pandas(churn.split.validation.frame[:3])[:0])

    assert (len(answer), list(answer.columns)) == (0, ["prediction", "score"])


def test_wrong_types_are_refused_by_name(churn: Any, churn_package: Package) -> None:
    """Text where training had numbers is an error that names column and value, not a silent gap."""
    plain = _pandas(churn.split.validation.frame[:3]).astype({"tenure": object})
    plain.loc[1, "tenure"] = "a dozen"

    with pytest.raises(DataError, match="1 values cannot be scored; got tenure: 'a dozen'"):
        PyfuncModel(Scorer.load(churn_package)).predict(plain)


def test_columns_that_may_be_missing_may_be_absent(churn: Any, churn_package: Package) -> None:
    """A column that had gaps in training may be left out; one that never had is asked for."""
    plain = _pandas(churn.split.validation.frame[:3])
    model = PyfuncModel(Scorer.load(churn_package))
    nullable = [column.name for column in model.scorer.contract.columns if column.nullable]

    assert nullable == ["TotalCharges"]
    assert len(model.predict(plain.drop(columns=nullable))) == 3
    with pytest.raises(DataError, match="tenure"):
        model.predict(plain.drop(columns="tenure"))


def test_a_scorer_that_disagrees_is_not_loaded(churn_package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's entry point replays the golden rows first."""
    scorer = Scorer.load(churn_package)
    scorer.golden = GoldenSet(scorer.golden.tolerance, ())
    monkeypatch.setattr(Scorer, "load", lambda path: scorer)

    with pytest.raises(IntegrityError, match="golden rows"):
        _load_pyfunc(str(churn_package.folder))


def test_what_mlflow_adds_is_no_change_and_anything_else_is(churn_package: Package, tmp_path: Path) -> None:
    """MLflow's registry lays a file of its own among ours when it loads; whatever else is new is refused."""
    folder = tmp_path / "package"
    shutil.copytree(churn_package.folder, folder)
    (folder / "registered_model_meta").write_text("model_name: churn\n", encoding="utf-8")
    loaded = _load_pyfunc(str(folder))
    (folder / "more").write_text("", encoding="utf-8")

    assert loaded.scorer.digest == churn_package.manifest.digest
    with pytest.raises(IntegrityError, match="more is not in the manifest"):
        _load_pyfunc(str(folder))


def test_the_mlmodel_file_names_loader_signature_and_environment(churn_package: Package) -> None:
    """MLmodel is what MLflow expects: generic flavour, signature as JSON text, environments that exist."""
    content = yaml.safe_load(churn_package.read("MLmodel"))
    flavour = content["flavors"]["python_function"]

    assert flavour["loader_module"] == "modelyard.packaging.mlflow_loader"
    assert set(flavour["env"].values()) <= set(churn_package.manifest.files)
    inputs = {column["name"]: column for column in json.loads(content["signature"]["inputs"])}
    assert inputs["Contract"] == {"name": "Contract", "type": "string", "required": True}
    assert inputs["TotalCharges"] == {"name": "TotalCharges", "type": "any", "required": False}
    assert [column["name"] for column in json.loads(content["signature"]["outputs"])] == ["prediction", "score"]


def test_requirements_are_pinned(churn_package: Package) -> None:
    """What scoring needs is named with exact versions, and nothing that only training needs."""
    lines = churn_package.read("requirements.txt").decode().splitlines()

    assert sorted(line.split("==")[0] for line in lines) == ["lightgbm", "modelyard", "numpy", "polars"]
    assert yaml.safe_load(churn_package.read("conda.yaml"))["dependencies"][-1] == {"pip": lines}
