"""What ``mlflow.pyfunc.load_model`` calls. Neither MLflow nor pandas is imported before a table comes in."""

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from modelyard.core import DataError
from modelyard.data.schema import ColumnKind
from modelyard.packaging.courses.horizon import ForecastScorer, is_forecast
from modelyard.packaging.mlflow_files import ADDED_BY_MLFLOW
from modelyard.packaging.package import load_package
from modelyard.packaging.scorer import Scorer
from modelyard.problem import Task

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PyfuncForecast", "PyfuncModel"]

_SHOWN = 5


class PyfuncModel:
    """A package as MLflow's generic model: a pandas table in, a pandas table out.

    ``predict`` gives one row per row, under the same index. Regression: the column ``prediction``. Binary:
    ``prediction``, the label by the package's own threshold, and ``score``, the probability of the positive class.
    Multiclass: ``prediction``, ``score``, its probability, and ``score.<class>`` for every class. Anomalies come as binary,
    their score in usual deviations; clusters as multiclass.

    Missing values may come as ``None``, ``NaN``, ``NaT`` or ``pandas.NA``, in any column; they all mean the same here
    as they did in training.

    Parameters
    ----------
    scorer
        Verified, and its golden rows reproduced.
    """

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> "pd.DataFrame":  # noqa: ARG002 - MLflow's signature
        """Predictions for a table: a pandas frame, or what pandas makes one of.

        Raises
        ------
        DataError
            If a column that training always had is missing, or values have the wrong type; the first of them are
            named. Values that are merely unusual are scored.
        """
        import pandas as pd

        table = model_input if isinstance(model_input, pd.DataFrame) else pd.DataFrame(model_input)
        frame = self._checked(table)
        scores = self.scorer.score_frame(frame)
        columns: dict[str, Any] = {"prediction": self.scorer.decide(scores)}
        if self.scorer.form is Task.BINARY:
            columns["score"] = scores
        elif self.scorer.form is Task.MULTICLASS:
            columns["score"] = scores.max(axis=1)
            columns |= {f"score.{name}": scores[:, place] for place, name in enumerate(self.scorer.classes)}
        return pd.DataFrame(columns, index=table.index)

    def _checked(self, table: "pd.DataFrame") -> pl.DataFrame:
        """The features as a Polars table that keeps the contract; absent columns that may be missing are empty."""
        contract = self.scorer.contract
        present = {column.name: column.kind for column in contract.columns if column.name in table.columns}
        frame = pl.DataFrame([_series(table[name], name, kind) for name, kind in present.items()])
        violations = contract.check_frame(frame).filter("rejects")
        if violations.height:
            shown = violations.head(_SHOWN).iter_rows(named=True)
            raise DataError(
                f"{violations.height:,} values cannot be scored",
                where="table to score",
                got="; ".join(f"{found['column']}: {found['got']}" for found in shown),
                cure="Give the types that training had; contract.json in the package names them",
            )
        absent = [pl.lit(None).alias(column.name) for column in contract.columns if column.name not in present]
        return frame.with_columns(absent) if present else pl.DataFrame({"": [None] * len(table)}).with_columns(absent)


def _series(values: "pd.Series[Any]", name: str, kind: ColumnKind) -> pl.Series:
    """A pandas column as a Polars series in which every kind of missing value is null."""
    known = values.notna().to_numpy()
    if kind is ColumnKind.NUMERIC and values.dtype.kind in "iuf":
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return pl.Series(name, numbers).fill_nan(None)
    plain = [_plain(value) if present else None for value, present in zip(values.tolist(), known, strict=True)]
    return pl.Series(name, plain, strict=False)


def _plain(value: Any) -> Any:
    """A cell without NumPy's or pandas' wrapping; what they hold inside is what JSON would bring."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dt.datetime):
        return dt.datetime.fromisoformat(value.isoformat()[:26]) if value.tzinfo is None else value.isoformat()
    return value


class PyfuncForecast:
    """A package of a forecast as MLflow's generic model: a history in, the next horizon out, a row for each series and step.

    Parameters
    ----------
    scorer
        Verified, and its golden histories reproduced.
    """

    def __init__(self, scorer: ForecastScorer) -> None:
        self.scorer = scorer

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> "pd.DataFrame":  # noqa: ARG002 - MLflow's signature
        """The columns series, moment, step, forecast, low and high.

        Raises
        ------
        DataError
            If the history lacks a column, or cannot be put on the grid of time.
        """
        import pandas as pd

        table = model_input if isinstance(model_input, pd.DataFrame) else pd.DataFrame(model_input)
        columns = {name: _plain_values(table[name]) for name in self.scorer.plan.columns if name in table.columns}
        told = self.scorer.tell(pl.DataFrame(columns, strict=False))
        return pd.DataFrame(told.to_dict(as_series=False))


def _plain_values(values: "pd.Series[Any]") -> list[Any]:
    """Cells as Polars takes them: missing ones null, moments as they are."""
    known = values.notna().to_numpy()
    return [_plain(value) if present else None for value, present in zip(values.tolist(), known, strict=True)]


def _load_pyfunc(path: str) -> PyfuncModel | PyfuncForecast:
    """MLflow's entry point: load, verify every digest, and replay the golden rows.

    Raises
    ------
    IntegrityError
        If a file is not what was packaged, or the scorer does not reproduce its golden rows on this machine.
    """
    package = load_package(path, beside=ADDED_BY_MLFLOW)
    if is_forecast(package):
        return PyfuncForecast(ForecastScorer.load(package).require_golden())
    return PyfuncModel(Scorer.load(package).require_golden())
