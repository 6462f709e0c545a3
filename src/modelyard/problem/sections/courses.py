"""What the project file says about tasks that are not supervised row by row: forecasting, anomalies, clusters."""

from typing import Annotated, Literal

from pydantic import Field

from modelyard.problem.sections.strict import Strict

__all__ = ["DETECTORS", "FORECAST_METHODS", "AnomalyPlan", "ClusterPlan", "ForecastPlan"]

ForecastMethod = Literal["naive", "seasonal_naive", "ets", "arima", "lightgbm"]
FORECAST_METHODS: tuple[ForecastMethod, ...] = ("naive", "seasonal_naive", "ets", "arima", "lightgbm")
Detector = Literal["isolation_forest", "local_outlier_factor", "one_class_svm"]
DETECTORS: tuple[Detector, ...] = ("isolation_forest", "local_outlier_factor", "one_class_svm")
ClusterMethod = Literal["kmeans", "gaussian_mixture", "hdbscan"]

_FREQUENCY = r"^[1-9]\d*(mo|y|q|w|d|h|m|s)$"
"""One length of time as Polars writes it: 1h, 15m, 1d, 1w, 1mo."""


class ForecastPlan(Strict):
    """How far and how often the target's future is told, and how that is tried beforehand."""

    horizon: int = Field(default=1, ge=1, le=1000, description="Steps ahead that are told at once.")
    frequency: Literal["auto"] | Annotated[str, Field(pattern=_FREQUENCY)] = Field(
        default="auto", description="Length of a step: 15m, 1h, 1d, 1w, 1mo; auto takes the commonest distance."
    )
    series: tuple[str, ...] | None = Field(
        default=None, description="Columns that name a series; by default data.group, else the table is one series."
    )
    seasons: tuple[Annotated[int, Field(ge=2)], ...] | None = Field(
        default=None, description="Lengths of the seasons in steps, shortest first; by default those of the calendar."
    )
    fill: Literal["season", "previous", "zero"] = Field(
        default="season",
        description="What stands in a gap: the value one season before, the previous one, or zero. Never scored.",
    )
    windows: int = Field(default=12, ge=2, le=100, description="Walk-forward windows of the backtest, a horizon each.")
    test_windows: int = Field(default=4, ge=1, le=50, description="Horizons at the end that are sealed.")
    coverage: float = Field(default=0.9, gt=0.5, lt=1, description="Share of later values that intervals must hold.")
    methods: tuple[ForecastMethod, ...] = Field(
        default=FORECAST_METHODS, min_length=1, description=f"What is tried: {', '.join(FORECAST_METHODS)}."
    )


class AnomalyPlan(Strict):
    """What counts as strange, and who looks for it. Labels, if there are any, are in data.target."""

    contamination: float = Field(
        default=0.01, gt=0, lt=0.5, description="Share of rows that may be called anomalies; stated, never estimated."
    )
    detectors: tuple[Detector, ...] = Field(
        default=DETECTORS, min_length=1, description=f"What is tried: {', '.join(DETECTORS)}."
    )
    top: int = Field(default=100, ge=1, le=10_000, description="Anomalies that are listed with their reasons.")


class ClusterPlan(Strict):
    """How many clusters there may be, and how they are sought."""

    most: int = Field(default=8, ge=2, le=30, description="The largest number of clusters that is tried.")
    methods: tuple[ClusterMethod, ...] = Field(
        default=("kmeans", "gaussian_mixture", "hdbscan"),
        min_length=1,
        description="What is tried: kmeans, gaussian_mixture, hdbscan.",
    )
    repeats: int = Field(default=20, ge=5, le=200, description="Resamples by which stability is measured.")
