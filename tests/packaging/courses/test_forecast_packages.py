"""Packages of forecasts: what the run tells, the package tells."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from tests.courses.test_rows import course_of, project_of
from tests.forecasting.conftest import sales
from tests.packaging.courses.own_tests import assert_own_tests_pass
from tests.release import promote_by_grace

from modelyard.core import ConfigError, DataError, GateRefusedError, IntegrityError, StateError
from modelyard.packaging import Package, Scorer
from modelyard.packaging.bench import bench_package
from modelyard.packaging.courses.horizon import ForecastScorer, is_forecast
from modelyard.packaging.finishing import seal
from modelyard.packaging.golden import Parity
from modelyard.packaging.manifest import MANIFEST_FILE, Manifest
from modelyard.packaging.mlflow_loader import PyfuncForecast, _load_pyfunc
from modelyard.packaging.verification import Outcome, verify_package
from modelyard.project import Project


def shops(days: int = 150) -> pl.DataFrame:
    """Daily sales of two shops whose numbers name them."""
    return sales(days, 2, noise=4.0).with_columns(pl.col("shop").str.slice(5).cast(pl.Int64))


def trained(folder: Path, *methods: str) -> Project:
    """A project that tells the next week of each shop."""
    plan = {"horizon": 7, "windows": 3, "test_windows": 1, "series": ["shop"], "methods": list(methods)}
    project = project_of(folder, shops(), "forecasting", "sold", forecast=plan)
    course = course_of(project)
    course.train()
    course.evaluate(open_test="final evaluation")
    return project


@pytest.fixture(scope="module", params=["lightgbm", "ets", pytest.param("arima", marks=pytest.mark.slow)])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Package]:
    """A project with the package of one method each."""
    project = trained(tmp_path_factory.mktemp("shops"), "naive", request.param)
    return project, course_of(project).package()


def test_a_package_of_a_forecast_is_whole(told: tuple[Project, Package]) -> None:
    """Every check passes but for what people have not filled in; intervals, horizon and figures are on the card."""
    _, package = told
    result = verify_package(package.folder)
    card = package.read_json("card.json")
    golden = package.read_json("golden.json")

    assert {check.outcome for check in result.checks} == {Outcome.PASSED, Outcome.INCOMPLETE}
    assert result.check("signature").said == "3 columns in, 7 steps out, in every file alike"
    assert package.read_json("metrics.json")["parity"]["max_abs_difference"] <= 1e-9
    assert [item["origin"] for item in golden["histories"]][:3] == ["latest", "a horizon earlier", "a gap"]
    assert card["identity"]["task"] == "forecasting"
    assert "mase" in [item["name"] for item in card["performance"]["test"][0]["metrics"]]
    assert "Forecasts sold" in package.read("card.md").decode()
    assert is_forecast(package)


def test_the_version_tells_what_the_run_tells(told: tuple[Project, Package], tmp_path: Path) -> None:
    """Bit for bit, by command and by MLflow, after a history that goes on beyond training."""
    project, package = told
    course = course_of(project)
    history = shops(170)
    history.write_csv(tmp_path / "history.csv")
    course.score(tmp_path / "history.csv", tmp_path / "run.csv")
    project.register()
    said = course.score(tmp_path / "history.csv", tmp_path / "version.csv", version=1)
    by_mlflow = _load_pyfunc(str(package.folder)).predict(pd.DataFrame(history.to_dict(as_series=False)))
    rows = pl.read_csv(tmp_path / "version.csv", try_parse_dates=True)

    assert (tmp_path / "run.csv").read_bytes() == (tmp_path / "version.csv").read_bytes()
    assert said.note.endswith("; version 1")
    assert rows.columns == ["series", "moment", "step", "forecast", "low", "high"]
    assert rows["series"].unique().sort().to_list() == [0, 1]
    assert (rows["low"] < rows["forecast"]).all()
    np.testing.assert_allclose(by_mlflow["forecast"], rows["forecast"], rtol=1e-12)
    assert by_mlflow["series"].tolist() == rows["series"].cast(pl.String).to_list()


@pytest.fixture(scope="module")
def naive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Package]:
    """The quickest one."""
    project = trained(tmp_path_factory.mktemp("naive"), "seasonal_naive")
    return project, course_of(project).package()


def test_a_forecast_lives_like_any_other_version(naive: tuple[Project, Package], tmp_path: Path) -> None:
    """Registered, approved by somebody else, promoted; then the version in production tells."""
    project, _ = naive
    version = project.register()
    promote_by_grace(project, version.version)
    said = course_of(project).score(project.root.parent / "rows.csv", tmp_path / "told.parquet")
    found = bench_package(project.packages.package(1).folder)

    assert said.headline == "2 series told 7 steps ahead."
    assert said.note.endswith("by seasonal_naive_7; version 1")
    assert project.status().next_step == "modelyard score"
    assert found.measurement.latency_p50_ms > 0
    assert found.batches == ()


def test_the_tests_in_the_package_pass(naive: tuple[Project, Package], tmp_path: Path) -> None:
    """They leave the package whole."""
    assert_own_tests_pass(naive[1], tmp_path / "package")


def test_what_asks_for_rows_is_refused(naive: tuple[Project, Package]) -> None:
    """A scorer of rows says what a forecast needs."""
    with pytest.raises(StateError, match=r"it answers no single rows\. Run: modelyard score HISTORY FORECAST"):
        Scorer.load(naive[1])


def test_histories_that_cannot_be_told_after_are_refused(naive: tuple[Project, Package]) -> None:
    """The column or the moment is named; ISO 8601 text is read as a moment."""
    scorer = ForecastScorer.load(naive[1])
    history = shops(160)
    texts = history.with_columns(pl.col("day").cast(pl.String))

    assert scorer.tell(texts).equals(scorer.tell(history))
    with pytest.raises(DataError, match=r"data\.target: the table has no such column; got 'sold'"):
        scorer.tell(history.drop("sold"))
    with pytest.raises(DataError, match="a forecast needs a date in every row"):
        scorer.tell(texts.with_columns(day=pl.lit("soon")))
    with pytest.raises(DataError, match="hold more than one row"):
        scorer.tell(pl.concat([history, history.tail(1)]))


def test_mlflow_takes_gaps_and_moments_of_pandas(naive: tuple[Project, Package]) -> None:
    """A missing value is a gap, whatever stands for it."""
    model = _load_pyfunc(str(naive[1].folder))
    history = shops(160)
    table = pd.DataFrame(history.to_dict(as_series=False)).astype({"day": "datetime64[us]"})
    table.loc[40, "sold"] = np.nan
    same = history.with_columns(sold=pl.when(pl.int_range(pl.len()) == 40).then(None).otherwise("sold"))

    assert isinstance(model, PyfuncForecast)
    assert model.predict(table)["forecast"].tolist() == model.scorer.tell(same)["forecast"].to_list()


def resealed(package: Package, folder: Path, name: str, change: Any) -> Path:
    """A copy of a package with one JSON file changed and all digests made anew."""
    shutil.copytree(package.folder, folder)
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))
    manifest = Manifest.from_dict(json.loads((folder / MANIFEST_FILE).read_text()))
    seal(folder, manifest)
    return folder


@pytest.mark.parametrize(
    ("name", "change", "check"),
    [
        ("golden.json", lambda it: it["histories"][0]["expected"][0].__setitem__(0, 1.0), "parity"),
        ("golden.json", lambda it: it["histories"][0]["expected"].pop(), "signature"),
        ("golden.json", lambda it: it["histories"].clear(), "signature"),
        ("plan.json", lambda it: it["rule"]["widths"].pop(), "signature"),
        ("plan.json", lambda it: it.__setitem__("target", "day"), "signature"),
        ("model/fitted.json", lambda it: it.__setitem__("season", 5), "parity"),
    ],
)
def test_verification_finds_what_contradicts_itself(
    naive: tuple[Project, Package], tmp_path: Path, name: str, change: Any, check: str
) -> None:
    """Even if every digest was made anew."""
    result = verify_package(resealed(naive[1], tmp_path / "changed", name, change))

    assert not result.ok
    assert result.check("files").outcome is Outcome.PASSED
    assert result.check(check).outcome is Outcome.FAILED


def test_a_forecast_that_does_not_tell_as_training_did_gives_no_answers(
    naive: tuple[Project, Package], tmp_path: Path
) -> None:
    """Neither to MLflow, nor as a version."""
    changed = resealed(naive[1], tmp_path / "changed", "model/fitted.json", lambda it: it.__setitem__("season", 5))

    with pytest.raises(IntegrityError, match="does not reproduce its golden histories"):
        ForecastScorer.load(changed).require_golden()


def test_a_package_that_does_not_tell_as_the_run_does_is_not_published(
    naive: tuple[Project, Package], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The build is refused, and no folder is left."""
    project, _ = naive
    before = sorted(project.workspace.folder("packages").iterdir())
    wrong = Parity(7, 0.5, 1e-9, ok=False)
    monkeypatch.setattr(ForecastScorer, "verify_golden", lambda self: wrong)

    with pytest.raises(GateRefusedError, match="does not answer as the training pipeline does"):
        course_of(project).package()
    assert sorted(project.workspace.folder("packages").iterdir()) == before


def test_options_of_rows_are_refused(naive: tuple[Project, Package]) -> None:
    """What has no meaning for a forecast is named."""
    from modelyard.cli.course import course_answer
    from modelyard.cli.session import Session

    session = Session(naive[0].root, "quick", (), as_json=True)

    with pytest.raises(ConfigError, match="modelyard score has no --uncertainty here"):
        course_answer(session, "score", {"uncertainty": True}, {"uncertainty"})
    with pytest.raises(ConfigError, match="a forecast needs a history"):
        course_answer(session, "serve", {}, set())
