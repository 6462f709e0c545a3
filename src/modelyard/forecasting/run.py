"""A training on disk: the record, the fitted winner as JSON, and everything that was told in the backtest."""

import dataclasses
import functools
import io
import json
from pathlib import Path

import polars as pl

from modelyard.core import IntegrityError, StateError, digest_file, write_atomic, write_json_atomic
from modelyard.forecasting.methods import Fitted, load_fitted
from modelyard.forecasting.records import ForecastRun
from modelyard.store import Workspace

__all__ = ["StoredForecast", "is_stored", "load_forecast", "store_forecast"]

_RUN, _FITTED, _TOLD = "forecast.json", "fitted.json", "backtest.parquet"
_PROTOCOL = 1


@dataclasses.dataclass(frozen=True)
class StoredForecast:
    """A training as it is kept.

    Parameters
    ----------
    record
        What was tried and chosen.
    folder
        Where it lies.
    """

    record: ForecastRun
    folder: Path

    @functools.cached_property
    def fitted(self) -> Fitted:
        """The winner, learnt from all rows before the sealed part."""
        content = json.loads((self.folder / _FITTED).read_text(encoding="utf-8"))
        return load_fitted(self.record.winner, content)

    @functools.cached_property
    def told(self) -> pl.DataFrame:
        """What each method told in the backtest, a column each, beside ``truth``."""
        return pl.read_parquet(self.folder / _TOLD)


def is_stored(id: str, workspace: Workspace) -> bool:  # noqa: A002 - the field's name
    """True if a training of that id was kept to its end."""
    return (workspace.folder("runs", id) / _RUN).exists()


def store_forecast(record: ForecastRun, fitted: Fitted, told: pl.DataFrame, workspace: Workspace) -> None:
    """Keep a training; the record is written last, so that one which was being stored does not count."""
    folder = workspace.folder("runs", record.id)
    buffer = io.BytesIO()
    told.write_parquet(buffer)
    write_atomic(folder / _TOLD, buffer.getvalue())
    write_json_atomic(folder / _FITTED, fitted.to_dict())
    files = {name: digest_file(folder / name) for name in (_TOLD, _FITTED)}
    write_json_atomic(folder / _RUN, {"protocol": _PROTOCOL, "record": record.to_dict(), "files": files})


def load_forecast(id: str, workspace: Workspace) -> StoredForecast:  # noqa: A002 - the field's name
    """A training made before, its files verified.

    Raises
    ------
    StateError
        If there is none of that id.
    IntegrityError
        If a file is not what was stored.
    """
    folder = workspace.folder("runs", id)
    try:
        content = json.loads((folder / _RUN).read_text(encoding="utf-8"))
        damaged = [name for name, digest in content["files"].items() if digest_file(folder / name) != digest]
    except FileNotFoundError as error:
        raise StateError(
            "there is no forecast of this id", where="runs", got=repr(id), cure="Run: modelyard train"
        ) from error
    except (ValueError, KeyError) as error:
        raise _damaged(folder / _RUN) from error
    if content.get("protocol") != _PROTOCOL or damaged:
        raise _damaged(folder / (damaged[0] if damaged else _RUN))
    return StoredForecast(ForecastRun.from_dict(content["record"]), folder)


def _damaged(path: Path) -> IntegrityError:
    return IntegrityError(
        "the training is not what was stored", where=str(path), cure="Run: modelyard train --no-resume"
    )
