"""Every task is served in its own words: classes with probabilities, or values; and MLflow's tables are the same."""

import asyncio
import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from modelyard.serving import (
    BatchSettings,
    activate,
    read_feedback,
    read_predictions,
    score_file,
)

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def multiclass_folder(build: Ask) -> Path:
    """A package that tells three contract lengths apart."""
    return Path(build("Contract", "linear"))


@pytest.fixture(scope="module")
def regression_folder(build: Ask) -> Path:
    """A package that predicts monthly charges."""
    return Path(build("MonthlyCharges", "linear"))


def churn_row(row: dict[str, Any], without: str) -> dict[str, Any]:
    """The good row, for a model with another target."""
    changed = {**row, "Churn": "No"}
    del changed[without]
    return changed


def test_several_classes(serve: Ask, ask: Ask, row: dict[str, Any], multiclass_folder: Path) -> None:
    """The answer has the probability of each class, its score is the highest, and the log has them in order."""
    app = serve(multiclass_folder)
    answer = ask(app, "POST", "/predict", churn_row(row, "Contract")).json()
    outputs = ask(app, "GET", f"/v2/models/{app.endpoint.active.name}").json()["outputs"]
    logged = read_predictions(app.settings.log_folder).row(0, named=True)
    fed_back = ask(app, "POST", "/feedback", {"id": answer["id"], "label": "Two year"})

    assert list(answer["probabilities"]) == ["Month-to-month", "One year", "Two year"]
    assert sum(answer["probabilities"].values()) == pytest.approx(1.0)
    assert answer["score"] == max(answer["probabilities"].values()) == answer["probabilities"][answer["label"]]
    assert logged["probabilities"] == list(answer["probabilities"].values())
    assert {output["name"]: output["shape"] for output in outputs}["probabilities"] == [-1, 3]
    assert fed_back.status == 200
    assert ask(app, "POST", "/feedback", {"id": answer["id"], "label": "Weekly"}).status == 422


def test_values(serve: Ask, ask: Ask, row: dict[str, Any], regression_folder: Path) -> None:
    """The label of a regression is its value; labels that come back are numbers; the log's label is empty."""
    app = serve(regression_folder)
    answer = ask(app, "POST", "/predict", churn_row(row, "MonthlyCharges")).json()
    folder = app.settings.log_folder

    assert answer["score"] == answer["label"]
    assert 10 < answer["score"] < 130
    assert read_predictions(folder)["label"].to_list() == [None]
    assert ask(app, "POST", "/feedback", {"id": answer["id"], "label": 70.25}).status == 200
    assert ask(app, "POST", "/feedback", {"id": answer["id"], "label": "much"}).status == 422
    assert read_feedback(folder)["label"].to_list() == ["70.25"]
    assert ask(app, "GET", "/openapi.json").status == 200


def test_batches_of_several_classes_and_values(
    tmp_path: Path, row: dict[str, Any], multiclass_folder: Path, regression_folder: Path
) -> None:
    """Files get a column for each class, or the value as a number."""
    pl.DataFrame([churn_row(row, "Contract")], schema_overrides={"TotalCharges": pl.Float64}).write_parquet(
        tmp_path / "classes.parquet"
    )
    pl.DataFrame([churn_row(row, "MonthlyCharges")], schema_overrides={"TotalCharges": pl.Float64}).write_parquet(
        tmp_path / "values.parquet"
    )
    score_file(activate(multiclass_folder).scorer, tmp_path / "classes.parquet", tmp_path / "classes.jsonl")
    score_file(activate(regression_folder).scorer, tmp_path / "values.parquet", tmp_path / "values.jsonl")
    classes = json.loads((tmp_path / "classes.jsonl").read_text(encoding="utf-8"))
    values = json.loads((tmp_path / "values.jsonl").read_text(encoding="utf-8"))

    assert classes["prediction_score"] == classes[f"prediction_probability.{classes['prediction_label']}"]
    assert values["prediction_label"] == values["prediction_score"]


def test_quantiles_come_when_asked(
    serve: Ask, ask: Ask, row: dict[str, Any], regression_folder: Path, tmp_path: Path
) -> None:
    """With ?uncertainty=true a value has its quantiles by level beside its interval; a file has a column for each."""
    app, rows = serve(regression_folder), [churn_row(row, "MonthlyCharges"), churn_row(row, "MonthlyCharges")]
    rows[1]["tenure"] = 60
    answers = ask(app, "POST", "/predict?uncertainty=true", rows).json()["predictions"]
    pl.DataFrame(rows, schema_overrides={"TotalCharges": pl.Float64}).write_parquet(tmp_path / "in.parquet")
    scorer = app.endpoint.active.scorer
    score_file(scorer, tmp_path / "in.parquet", tmp_path / "out.parquet", settings=BatchSettings(uncertainty=True))
    table = pl.read_parquet(tmp_path / "out.parquet")

    for number, answer in enumerate(answers):
        quantiles, (low, high) = answer["prediction_quantiles"], answer["prediction_interval"]
        assert list(quantiles) == ["0.1", "0.9"]
        assert low < quantiles["0.1"] < answer["score"] < quantiles["0.9"] < high
        assert answer["coverage"] == 0.9
        assert table["prediction_quantile.0.1"][number] == pytest.approx(quantiles["0.1"], rel=1e-12)
        assert table["prediction_quantile.0.9"][number] == pytest.approx(quantiles["0.9"], rel=1e-12)
    assert scorer.describe(scorer.score_rows(rows))["prediction_quantiles"] == [
        answer["prediction_quantiles"] for answer in answers
    ]
    assert "prediction_quantiles" not in ask(app, "POST", "/predict", rows[0]).json()


def test_quantiles_alone_are_enough_to_be_asked(
    serve: Ask,
    ask: Ask,
    row: dict[str, Any],
    regression_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A package with quantiles and no interval names no coverage; a table without rows has the columns all the same."""
    app = serve(regression_folder)
    scorer = app.endpoint.active.scorer
    alone = dataclasses.replace(scorer.conformal, coverage=None, intervals=None)
    monkeypatch.setattr(scorer, "conformal", alone)
    sent = churn_row(row, "MonthlyCharges")
    answer = ask(app, "POST", "/predict?uncertainty=true", sent).json()
    table = pl.DataFrame([sent], schema_overrides={"TotalCharges": pl.Float64}).clear()
    table.write_parquet(tmp_path / "in.parquet")
    score_file(scorer, tmp_path / "in.parquet", tmp_path / "out.parquet", settings=BatchSettings(uncertainty=True))

    assert sorted(answer["prediction_quantiles"]) == ["0.1", "0.9"]
    assert not {"coverage", "prediction_interval"} & set(answer)
    assert pl.read_parquet(tmp_path / "out.parquet").columns[-3:] == [
        "prediction_quantile.0.1",
        "prediction_quantile.0.9",
        "prediction_flags",
    ]


@pytest.mark.parametrize("target", ["Churn", "Contract", "MonthlyCharges"])
def test_invocations_are_what_mlflow_would_answer(
    request: pytest.FixtureRequest, serve: Ask, ask: Ask, row: dict[str, Any], target: str
) -> None:
    """MLflow's own loader and its own JSON writer give the same ``predictions`` for the same body."""
    pytest.importorskip("mlflow")
    fixtures = {"Churn": "package_folder", "Contract": "multiclass_folder", "MonthlyCharges": "regression_folder"}
    folder = request.getfixturevalue(fixtures[target])
    sent = row if target == "Churn" else churn_row(row, target)
    body = {"dataframe_records": [sent, {**sent, "tenure": 60}]}
    ours = ask(serve(folder), "POST", "/invocations", body).json()["predictions"]
    script = (
        "import io, json, sys, warnings; warnings.simplefilter('ignore')\n"
        "import mlflow.pyfunc; from mlflow.pyfunc.scoring_server import infer_and_parse_data, predictions_to_json\n"
        "model = mlflow.pyfunc.load_model(sys.argv[1]); out = io.StringIO()\n"
        "data = infer_and_parse_data(json.loads(sys.argv[2]), model.metadata.get_input_schema())\n"
        "predictions_to_json(model.predict(data), out); print(out.getvalue())\n"
    )
    theirs = subprocess.run(
        [sys.executable, "-c", script, str(folder), json.dumps(body)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert json.loads(theirs.stdout.splitlines()[-1])["predictions"] == [
        {name: pytest.approx(value) if isinstance(value, float) else value for name, value in entry.items()}
        for entry in ours
    ]


def test_requests_at_once_have_their_own_answers(serve: Ask, row: dict[str, Any], package_folder: Path) -> None:
    """Requests that wait for one write together do not mix up their answers."""
    app = serve(package_folder)
    active = app.endpoint.active

    async def all_at_once() -> list[float]:
        rows = [{**row, "tenure": number} for number in range(60)]
        answers = await asyncio.gather(*(app.answering.answer(active, [one], 0.0) for one in rows))
        return [answer[0].score for answer in answers]

    assert asyncio.run(all_at_once()) == [active.scorer.score_rows([{**row, "tenure": n}])[0] for n in range(60)]
