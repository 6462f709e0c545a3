"""Forecasts that a real package told, judged by values that came."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.courses.test_rows import course_of, project_of
from tests.forecasting.conftest import sales

from modelyard.core import ConfigError, DataError
from modelyard.monitoring import Action, Cause, MonitorReport, Verdict, monitor_page
from modelyard.monitoring.courses.forecasts.judging import forecast_windows
from modelyard.monitoring.watch import watch
from modelyard.packaging import Package
from modelyard.packaging.courses.horizon import ForecastScorer
from modelyard.project import Project
from modelyard.report import render_markdown

DAYS, WEEKS = 150, 9


def shops(days: int, count: int = 2) -> pl.DataFrame:
    """Daily sales of some shops."""
    return sales(days, count, noise=4.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Package]:
    """A seasonal naive forecast of a week for two shops."""
    plan = {"horizon": 7, "windows": 3, "test_windows": 1, "series": ["shop"], "methods": ["seasonal_naive"]}
    folder = tmp_path_factory.mktemp("shops")
    project = project_of(folder, shops(DAYS), "forecasting", "sold", forecast=plan)
    course = course_of(project)
    course.train()
    course.evaluate(open_test="final evaluation")
    return project, course.package()


def tellings(package: Package, values: pl.DataFrame, weeks: int = WEEKS) -> pl.DataFrame:
    """What the version told at the end of each week from the end of training on."""
    scorer = ForecastScorer.load(package)
    start = values["day"].min()
    assert isinstance(start, dt.date)
    ends = [start + dt.timedelta(days=DAYS + 7 * week) for week in range(weeks)]
    return pl.concat([scorer.tell(values.filter(pl.col("day") < end)) for end in ends])


def judged(
    made: tuple[Project, Package], folder: Path, values: pl.DataFrame, told: pl.DataFrame | None = None
) -> MonitorReport:
    """The report by tables in a folder."""
    project, package = made
    values.write_csv(folder / "values.csv")
    (told if told is not None else tellings(package, values)).write_csv(folder / "told.csv")
    return watch(project.workspace, package, project.problem, data=folder / "told.csv", labels=folder / "values.csv")


def test_a_world_as_it_was_is_quiet(made: tuple[Project, Package], tmp_path: Path) -> None:
    """Nine weeks of two shops are one window of eight moments and one that waits; every figure stands against the package's."""
    report = judged(made, tmp_path, shops(DAYS + 7 * WEEKS))
    first = report.performance[0]
    beside = report.forecasts[0]
    page = render_markdown(monitor_page(report, made[0].problem))

    assert report.verdict is Verdict.QUIET
    assert report.rows == 2 * 7 * WEEKS
    assert [(window.rows, window.judged) for window in report.windows] == [(16, True), (2, False)]
    assert first.value is not None
    assert first.low is not None
    assert first.high is not None
    assert first.low < first.value < first.high
    assert first.reference == report.reference_score
    assert report.reference_score is not None
    assert first.note == ""
    assert report.performance[1].note == "too few horizons to judge"
    assert (beside.horizons, beside.series, beside.values) == (16, 2, 112)
    assert beside.coverage_low <= beside.coverage <= beside.coverage_high
    assert beside.nominal == pytest.approx(made[0].problem.forecast.coverage)
    assert report.diagnosis.verdict is Cause.NOTHING
    assert "## Bias and intervals" in page
    assert "Forecasts are judged once their whole horizon has passed." in page
    assert MonitorReport.from_dict(report.to_dict()) == report


def test_the_figures_are_those_by_hand(made: tuple[Project, Package], tmp_path: Path) -> None:
    """MASE as the mean over horizons of error over the package's naive change; bias and coverage by counting."""
    values = shops(DAYS + 7 * 8)
    told = tellings(made[1], values, 8)
    report = judged(made, tmp_path, values, told)
    rows = told.with_columns(pl.col("moment").cast(pl.Date)).join(
        values, left_on=["series", "moment"], right_on=["shop", "day"], how="inner"
    )
    scales = made[1].read_json("plan.json")["rule"]["scales"]
    scale = rows["series"].replace_strict(scales).to_numpy()
    error = rows["forecast"].to_numpy() - rows["sold"].to_numpy()
    inside = ((rows["sold"] >= rows["low"]) & (rows["sold"] <= rows["high"])).mean()

    assert rows.height == 112
    assert report.performance[0].value == pytest.approx(float(np.mean(np.abs(error) / scale)))
    assert report.forecasts[0].bias == pytest.approx(float(np.mean(error / scale)))
    assert report.forecasts[0].coverage == pytest.approx(inside)


def test_a_lucky_figure_of_the_package_is_chance_too(made: tuple[Project, Package], tmp_path: Path) -> None:
    """Eight moments now against one then: what is tolerated grows by what one moment leaves open."""
    report = judged(made, tmp_path, shops(DAYS + 7 * 8))
    window, reference = report.performance[0], report.reference_score
    assert None not in (window.low, window.high, window.tolerated, reference)
    error = (float(window.high or 0) - float(window.low or 0)) / (2 * 1.96)
    least = float(reference or 0) * (1 + made[0].problem.monitoring.performance_drop)
    slack = 1.96 * (error * np.sqrt(1 + 8 / made[0].problem.forecast.test_windows) - error)

    assert window.tolerated == pytest.approx(least + slack)
    assert slack > 0


def test_wilder_series_are_a_loss_without_a_cause(made: tuple[Project, Package], tmp_path: Path) -> None:
    """Noise five times as loud: the metric alarms, intervals hold too little, and nobody is told to retrain."""
    usual = shops(DAYS)
    loud = sales(DAYS + 7 * WEEKS, 2, noise=20.0, seed=3).filter(pl.col("day") > usual["day"].max())
    report = judged(made, tmp_path, pl.concat([usual, loud]))

    assert report.performance[0].alarm
    assert report.forecasts[0].is_narrow
    assert not report.forecasts[0].is_biased
    assert {finding.id for finding in report.findings} == {"performance-drop", "performance-intervals"}
    assert (report.diagnosis.verdict, report.diagnosis.action) == (Cause.UNEXPLAINED, Action.LOOK)
    assert report.diagnosis.confidence is None


def test_a_level_that_is_not_followed_is_a_bias(made: tuple[Project, Package], tmp_path: Path) -> None:
    """Forecasts that stay ten above what comes are too high, in one direction."""
    values = shops(DAYS + 7 * 8)
    told = tellings(made[1], values, 8).with_columns(pl.col("forecast", "low", "high") + 10.0)
    report = judged(made, tmp_path, values, told)
    (bias,) = (finding for finding in report.findings if finding.id == "performance-bias")

    assert report.forecasts[0].is_biased
    assert "are too high by" in bias.message


def test_many_series_are_judged_after_one_horizon(made: tuple[Project, Package]) -> None:
    """Eight series are enough for an interval, so one moment is a window; of fewer it takes eight moments."""
    first = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - the grid of a forecast has no zone
    steps = pl.DataFrame(
        [
            {"series": f"s{series}", "at": first + dt.timedelta(days=7 * week), "step": step}
            for week in range(2)
            for series in range(8)
            for step in (1, 2)
        ]
    )
    few = steps.filter(pl.col("series") < "s7")

    assert [(one.facts.rows, one.facts.judged) for one in forecast_windows(steps, made[0].problem)] == [(8, True)] * 2
    assert [(one.facts.rows, one.facts.judged) for one in forecast_windows(few, made[0].problem)] == [(14, False)]


def test_half_a_horizon_waits_and_repeated_rows_count_once(made: tuple[Project, Package], tmp_path: Path) -> None:
    """The last three days have not come; a table that was added twice is said."""
    values = shops(DAYS + 7 * 8)
    told = tellings(made[1], values, 8)
    last = values["day"].max()
    assert isinstance(last, dt.date)
    short = values.filter(pl.col("day") <= last - dt.timedelta(days=3))
    report = judged(made, tmp_path, short, pl.concat([told, told.head(7)]))

    assert report.rows == 112
    assert report.verdict is Verdict.WATCH
    assert [(window.rows, window.judged) for window in report.windows] == [(14, False)]
    assert [finding.id for finding in report.findings] == ["duplicate-id"]


def test_what_cannot_be_judged_is_refused(made: tuple[Project, Package], tmp_path: Path) -> None:
    """Without what was told, and with a table of something else; nothing that came yet is no success."""
    project, package = made
    values = shops(DAYS)
    with pytest.raises(ConfigError, match="forecasts are kept in no log, so what was told must be brought"):
        watch(project.workspace, package, project.problem)
    with pytest.raises(DataError, match="the table of forecasts lacks a column"):
        judged(made, tmp_path, values, values)
    broken = tellings(package, values, 1).with_columns(moment=pl.lit("soon"))
    with pytest.raises(DataError, match="cells that cannot be read"):
        judged(made, tmp_path, values, broken)

    assert judged(made, tmp_path, values, tellings(package, values, 1)).verdict is Verdict.NO_DATA


def test_the_command_takes_the_source_as_it_is_now(made: tuple[Project, Package], tmp_path: Path) -> None:
    """Registered, approved, promoted; the project's own table has grown by the weeks that came."""
    project, package = made
    version = project.register()
    grace = Project.open(project.root, env="quick", token=project.tokens().create("grace", ["approver", "operator"]))
    grace.approve(version.version, "The figures hold.")
    grace.promote(version.version)
    values = shops(DAYS + 7 * 8)
    tellings(package, values, 8).write_parquet(tmp_path / "told.parquet")
    values.write_csv(project.root.parent / "rows.csv")
    report = grace.monitor(data=tmp_path / "told.parquet")

    assert report.forecasts[0].values == 112
    assert project.page("monitoring").exists()
    assert project.ledger().verify().ok
