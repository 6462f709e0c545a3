"""The scorer of a packaged forecast: a history in, the next horizon out."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from modelyard.core import IntegrityError, Record
from modelyard.data import Contract
from modelyard.forecasting.methods import Fitted, load_fitted
from modelyard.forecasting.telling import tell
from modelyard.packaging.courses.telling_plan import TellingPlan
from modelyard.packaging.golden import Parity, largest_difference, require_reproduced
from modelyard.packaging.manifest import Manifest
from modelyard.packaging.package import Package, load_package
from modelyard.packaging.predictors.files import json_of

__all__ = [
    "FITTED_FILE",
    "ForecastScorer",
    "GoldenHistories",
    "GoldenHistory",
    "golden_history",
    "history_frame",
    "is_forecast",
]

FITTED_FILE = "fitted.json"
_FIGURES = ("forecast", "low", "high")


@dataclasses.dataclass(frozen=True)
class GoldenHistory(Record):
    """One history and what training told after it.

    Parameters
    ----------
    origin
        What it shows.
    rows
        Its rows as JSON gives them, dates as ISO 8601 text.
    expected
        Forecast and ends of the interval for each series and step, in the order in which they are told.
    """

    origin: str
    rows: tuple[Mapping[str, Any], ...]
    expected: tuple[tuple[float, ...], ...]


@dataclasses.dataclass(frozen=True)
class GoldenHistories(Record):
    """The golden histories of a package, and how far an answer may be from the expected one (relative above 1)."""

    tolerance: float
    histories: tuple[GoldenHistory, ...]


class ForecastScorer:
    """Tells the next horizon as training would, without pickle.

    Parameters
    ----------
    manifest
        Names the model.
    plan, fitted
        What is told, and by what.
    contract
        What training saw of the columns.
    golden
        Histories with known answers.
    """

    def __init__(
        self, manifest: Manifest, plan: TellingPlan, fitted: Fitted, *, contract: Contract, golden: GoldenHistories
    ) -> None:
        self.manifest = manifest
        self.plan = plan
        self.contract = contract
        self.golden = golden
        self._fitted = fitted
        self._problem = plan.problem

    @classmethod
    def load(cls, source: Path | str | Package) -> Self:
        """The scorer of a package; a folder is verified first, as :func:`~modelyard.packaging.load_package` does.

        Raises
        ------
        IntegrityError
            If a file is not what was packaged, or what was learnt cannot be read.
        """
        package = source if isinstance(source, Package) else load_package(source)
        plan = TellingPlan.from_dict(package.read_json("plan.json"))
        content = json_of(package.model_files(), FITTED_FILE)
        try:
            fitted = load_fitted(plan.method, content)
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(
                "a model file cannot be read",
                where=f"model/{FITTED_FILE}",
                got=repr(error),
                cure="Build the package again from its run",
            ) from error
        return cls(
            package.manifest,
            plan,
            fitted,
            contract=Contract.from_dict(package.read_json("contract.json")),
            golden=GoldenHistories.from_dict(package.read_json("golden.json")),
        )

    @property
    def version(self) -> str:
        """Version of the model."""
        return self.manifest.version

    @property
    def digest(self) -> str:
        """Digest of the whole package."""
        return self.manifest.digest

    def tell(self, history: pl.DataFrame) -> pl.DataFrame:
        """The steps after the end of a history: series, moment, step, forecast, low and high.

        Parameters
        ----------
        history
            Rows with the plan's columns up to now; moments may be ISO 8601 text.

        Raises
        ------
        DataError
            If a column is absent, rows cannot be put on the grid of time, or every series has ended.
        MissingExtraError
            If the library of the method is not installed.
        """
        time = self.plan.time
        if time in history.columns and history[time].dtype == pl.String:
            history = history.with_columns(pl.col(time).str.to_datetime(time_unit="us", strict=False))
        return tell(self._fitted, self.plan.rule, history, self._problem)

    def verify_golden(self) -> Parity:
        """Replay the golden histories: how well this scorer, here and now, tells what training told."""
        worst, told = 0.0, 0
        for history in self.golden.histories:
            found = self.tell(history_frame(history.rows)).select(_FIGURES).to_numpy()
            worst = max(worst, largest_difference(found, np.array(history.expected)))
            told += len(found)
        return Parity(told, worst, self.golden.tolerance, ok=told > 0 and worst <= self.golden.tolerance)

    def require_golden(self) -> Self:
        """The scorer itself, if it tells what training told after its golden histories.

        Raises
        ------
        IntegrityError
            If it does not; it must not answer then.
        """
        where = f"{self.manifest.name} {self.version}"
        require_reproduced(self.verify_golden(), "the forecast does not reproduce its golden histories", where)
        return self


def golden_history(origin: str, rows: tuple[Mapping[str, Any], ...], told: pl.DataFrame) -> GoldenHistory:
    """A history with what was told after it."""
    return GoldenHistory(origin, rows, tuple(told.select(_FIGURES).iter_rows()))


def history_frame(rows: tuple[Mapping[str, Any], ...]) -> pl.DataFrame:
    """Rows as JSON gives them, as a table."""
    return pl.DataFrame(list(rows), infer_schema_length=None)


def is_forecast(package: Package) -> bool:
    """Whether a package tells what follows a history, instead of answering rows."""
    task = json.loads(package.read("plan.json")).get("task")
    return bool(task == "forecasting")
