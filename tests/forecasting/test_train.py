"""A forecast from split to page, with the sealed horizons in the ledger."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError
from tests.forecasting.conftest import forecast_problem, sales

from modelyard.core import Actor, ConfigError, DataError, StateError
from modelyard.core.actor import ActorSource
from modelyard.data import Split, open_version, store_version
from modelyard.forecasting.backtest import Backtest, Tried, try_method
from modelyard.forecasting.evaluate import evaluate_forecast, measure
from modelyard.forecasting.methods import Method
from modelyard.forecasting.methods.simple import Naive, SeasonalNaive
from modelyard.forecasting.page import forecast_page
from modelyard.forecasting.records import ForecastCandidate
from modelyard.forecasting.run import StoredForecast, load_forecast
from modelyard.forecasting.selection import choose
from modelyard.forecasting.series import build_panel, divide_in_time
from modelyard.forecasting.telling import TellingRule, tell
from modelyard.forecasting.train import train_forecast
from modelyard.problem import Problem
from modelyard.report import render_html
from modelyard.store import Workspace

ADA = Actor("ada", ActorSource.OS_USER)
PLAIN: dict[str, Any] = {"series": ("shop",), "methods": ("naive", "seasonal_naive", "ets"), "test_windows": 2}


def divided(rows: pl.DataFrame, problem: Problem, folder: Path) -> tuple[Split, Workspace]:
    """The rows as a version, split in time."""
    workspace = Workspace(folder)
    version = store_version(rows, "sales.csv", workspace)
    return divide_in_time(open_version(version.id, workspace), problem, workspace, ADA), workspace


@pytest.fixture
def trained(tmp_path: Path) -> tuple[StoredForecast, Split, Problem, Workspace]:
    """Three shops with a week, trained."""
    problem = forecast_problem(**PLAIN)
    split, workspace = divided(sales(140, 3, noise=3.0), problem, tmp_path)
    return train_forecast(split, problem, workspace), split, problem, workspace


def test_the_last_horizons_are_sealed(tmp_path: Path) -> None:
    """Two horizons of seven days of both shops are out of sight; the same question gives the same split."""
    problem = forecast_problem(**PLAIN)
    split, workspace = divided(sales(70, 2), problem, tmp_path)
    again = divide_in_time(open_version(split.record.dataset_id, workspace), problem, workspace, ADA)

    assert (split.record.train_rows, split.test.size) == (2 * 56, 2 * 14)
    assert again.record == split.record
    assert workspace.ledger.count("split.made", split.record.id) == 1
    assert str(split.train.frame["day"].max()) == "2023-02-26"


def test_a_table_no_longer_than_what_is_sealed_is_refused(tmp_path: Path) -> None:
    """Fourteen days cannot be sealed twice over."""
    with pytest.raises(DataError, match="no longer than what is to be sealed"):
        divided(sales(14), forecast_problem(**PLAIN), tmp_path)


def test_the_season_wins_and_the_run_is_found_again(
    trained: tuple[StoredForecast, Split, Problem, Workspace],
) -> None:
    """The naive answer is far behind; training again gives the very same run without work."""
    run, split, problem, workspace = trained
    again = train_forecast(split, problem, workspace)

    assert run.record.winner in ("seasonal_naive_7", "ets")
    figures = {item.name: item.figures["mase"] or 0.0 for item in run.record.candidates}
    assert figures["naive"] > 2 * figures[run.record.winner]
    assert again.record == run.record
    assert run.record.candidate("ets").coverage == pytest.approx(0.9, abs=0.06)
    assert load_forecast(run.record.id, workspace).told.height == run.record.windows * 3 * 7


def test_the_same_question_gives_the_same_answer(
    trained: tuple[StoredForecast, Split, Problem, Workspace],
) -> None:
    """Made anew, every figure and forecast is the same."""
    run, split, problem, workspace = trained
    told = run.told
    again = train_forecast(split, problem, workspace, resume=False)

    assert again.told.equals(told)
    assert again.record.widths == run.record.widths
    assert [item.figures for item in again.record.candidates] == [item.figures for item in run.record.candidates]


def test_an_interrupted_training_goes_on_after_the_methods_that_were_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted at the last method, only that one is tried again; the result is the one without interruption."""
    problem = forecast_problem(**PLAIN)
    split, workspace = divided(sales(140, 3, noise=3.0), problem, tmp_path / "a")
    other, elsewhere = divided(sales(140, 3, noise=3.0), problem, tmp_path / "b")
    tried: list[str] = []

    def interrupted(method: Method, test: Backtest) -> Tried:
        tried.append(method.name)
        if tried.count("ets") == 1 and method.name == "ets":
            raise KeyboardInterrupt
        return try_method(method, test)

    monkeypatch.setattr("modelyard.forecasting.train.try_method", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_forecast(split, problem, workspace)
    run = train_forecast(split, problem, workspace)
    monkeypatch.undo()
    whole = train_forecast(other, problem, elsewhere)

    assert tried == ["naive", "seasonal_naive_7", "ets", "ets"]
    assert run.told.equals(whole.told)
    assert (run.record.winner, run.record.widths) == (whole.record.winner, whole.record.widths)
    assert not list(workspace.folder("runs").glob(".forecast-*"))


def test_a_later_value_changes_no_window_before_it(tmp_path: Path) -> None:
    """The first windows are told the same whatever the last ones hold."""
    problem = forecast_problem(methods=("ets",))
    panel = build_panel(sales(140), problem)
    changed = panel.values.copy()
    changed[0, -7:] = 500.0
    told = []
    for values in (panel.values, changed):
        other = type(panel)(panel.names, panel.moments, values, panel.observed, "1d", (7,))
        tried = try_method(SeasonalNaive(7), Backtest(other, 7, 5, "mase", 0.9))
        told.append(tried.told)

    assert told[0] is not None
    assert told[1] is not None
    assert np.array_equal(told[0], told[1])
    assert not list(tmp_path.iterdir())


def test_evaluation_without_a_reason_leaves_the_seal(
    trained: tuple[StoredForecast, Split, Problem, Workspace],
) -> None:
    """The backtest's figures are those of the run, and nothing is opened."""
    run, split, problem, _ = trained
    seen = measure(run, split, problem, actor=ADA, reason=None)
    result = evaluate_forecast(seen, run.record, split, problem)
    winner = run.record.candidate(run.record.winner)

    assert split.test.openings() == 0
    assert result.measured_on == "backtest"
    assert result.system(run.record.winner).figures == pytest.approx(winner.figures)
    assert result.opened_at is None


def test_the_sealed_horizons_are_opened_once_for_a_reason(
    trained: tuple[StoredForecast, Split, Problem, Workspace],
) -> None:
    """Two windows of three shops, a row in the ledger, and an answer in one sentence."""
    run, split, problem, workspace = trained
    seen = measure(run, split, problem, actor=ADA, reason="final")
    result = evaluate_forecast(seen, run.record, split, problem)

    assert split.test.openings() == 1
    assert workspace.ledger.rows(action="test.opened")[0].details["reason"] == "final"
    assert (result.windows, len(result.series), len(result.steps)) == (2, 3, 7)
    assert (result.system(result.winner).figures["mase"] or 9) < 1.2 < (result.system("naive").figures["mase"] or 0)
    assert result.answer.startswith("On the 2 sealed horizons of 7 steps")
    assert result.coverage == pytest.approx(0.9, abs=0.1)


def test_the_page_answers_first_and_shows_where_it_fails(
    trained: tuple[StoredForecast, Split, Problem, Workspace],
) -> None:
    """The sections come in the order of a story, without a script or the network."""
    run, split, problem, _ = trained
    seen = measure(run, split, problem, actor=ADA, reason=None)
    result = evaluate_forecast(seen, run.record, split, problem)
    html = render_html(forecast_page(result, run.record, seen, problem))
    titles = ["The answer", "Forecast against truth", "Why this method", "By step ahead", "By series", "Where it fails"]
    places = [html.index(title) for title in titles]

    assert places == sorted(places)
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert html.count("<script") == 1  # the page's own, see decision 19


def test_the_next_horizon_goes_on_after_the_history(
    trained: tuple[StoredForecast, Split, Problem, Workspace],
) -> None:
    """Seven days after the last one, inside their interval, for a shop that is new as well."""
    run, _, problem, _ = trained
    told = tell(run.fitted, TellingRule.of(run.record), sales(140, 4, noise=3.0), problem)
    new = told.filter(pl.col("series") == "shop 3")

    assert told.height == 4 * 7
    assert str(told["moment"].min())[:10] == "2023-05-22"
    assert (told["low"] < told["forecast"]).all()
    assert (told["forecast"] < told["high"]).all()
    assert new["forecast"].mean() == pytest.approx(408.6, abs=10)


def test_what_was_never_negative_is_not_told_below_zero(tmp_path: Path) -> None:
    """Counts that fall to zero keep zero as their floor."""
    problem = forecast_problem(methods=("naive",), test_windows=1)
    rows = sales(140, noise=9.0).with_columns(sold=(pl.col("sold") - 110).clip(0))
    split, workspace = divided(rows, problem, tmp_path)
    run = train_forecast(split, problem, workspace)
    told = tell(run.fitted, TellingRule.of(run.record), rows, problem)

    assert told["low"].min() == 0.0


def test_series_that_never_change_have_no_scaled_measure(tmp_path: Path) -> None:
    """MASE divides by nothing, and says what to do; by absolute errors the naive answer wins without a miss."""
    still = sales(140, 2).with_columns(sold=5.0)
    problem = forecast_problem(**PLAIN)
    split, workspace = divided(still, problem, tmp_path)
    with pytest.raises(StateError, match=r"no method could be measured.*Bring series that change, or another metric"):
        train_forecast(split, problem, workspace)
    run = train_forecast(split, problem.with_values(metrics={"primary": "mae"}), workspace).record

    assert (run.winner, run.candidate("naive").figures["mae"]) == ("naive", 0.0)
    assert "no series has 12 values that change" in run.candidate("ets").error
    assert [item.id for item in run.findings] == ["series-constant"]


@pytest.mark.parametrize("frequency", ["fortnight", "0h", "1 day", "h"])
def test_an_unknown_frequency_is_refused(frequency: str) -> None:
    """Only lengths of time that Polars knows are a step."""
    with pytest.raises(ValidationError, match="frequency"):
        forecast_problem(frequency=frequency)


def test_an_unknown_measure_is_refused(tmp_path: Path) -> None:
    """ROC AUC says nothing of a series."""
    problem = forecast_problem(**PLAIN).with_values(metrics={"primary": "roc_auc"})
    split, workspace = divided(sales(140, 2), problem, tmp_path)

    with pytest.raises(ConfigError, match="this measure is not one of forecasts"):
        train_forecast(split, problem, workspace)


def _tried(name: str, complexity: int, losses: list[float]) -> Tried:
    told = np.array(losses)[:, None]
    candidate = ForecastCandidate(name, complexity, "done", {"mase": float(told.mean())}, tuple(losses))
    return Tried(candidate, told[:, :, None], told)


def test_the_simpler_method_wins_within_one_standard_error() -> None:
    """A lead that comes from one window is noise; a lead in every window is not."""
    simple = _tried("simple", 0, [1.0, 1.0, 1.0, 1.0])
    lucky = _tried("lucky", 3, [1.1, 1.1, 1.1, 0.4])
    better = _tried("better", 3, [0.8, 0.7, 0.8, 0.7])

    assert choose([simple, lucky], "mase")[0] == "simple"
    assert choose([simple, better], "mase")[0] == "better"


def test_a_method_that_cannot_be_used_is_a_candidate_with_its_reason() -> None:
    """No series is a season of 400 days long."""
    panel = build_panel(sales(140), forecast_problem())
    tried = try_method(SeasonalNaive(400), Backtest(panel, 7, 3, "mase", 0.9))

    assert tried.candidate.status == "left out"
    assert "no series is a season long" in tried.candidate.error
    assert try_method(Naive(), Backtest(panel, 7, 3, "mase", 0.9)).candidate.status == "done"
