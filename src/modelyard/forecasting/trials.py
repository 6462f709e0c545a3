"""Methods that were measured before a training was interrupted: each is kept as soon as it is done."""

import io
import json
from pathlib import Path

import numpy as np

from modelyard.core import remove_directory, write_atomic, write_json_atomic
from modelyard.forecasting.backtest import Tried
from modelyard.forecasting.records import ForecastCandidate

__all__ = ["KeptTrials"]


class KeptTrials:
    """What was measured so far, in a folder that is gone when the training is stored.

    Parameters
    ----------
    folder
        Named after the run, so that another question finds nothing here.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: str) -> Tried | None:
        """A method's trial; None if it was not finished, or cannot be read."""
        try:
            content = json.loads((self._folder / f"{name}.json").read_text(encoding="utf-8"))
            candidate = ForecastCandidate.from_dict(content)
            if candidate.status != "done":
                return Tried(candidate)
            with np.load(self._folder / f"{name}.npz", allow_pickle=False) as arrays:
                return Tried(candidate, arrays["told"], arrays["losses"])
        except (OSError, ValueError, KeyError, TypeError):
            return None  # it is tried again, which costs time and nothing else

    def keep(self, tried: Tried) -> None:
        """Keep a trial; the record is written last, so that a half one does not count."""
        name = tried.candidate.name
        if tried.told is not None and tried.losses is not None:
            buffer = io.BytesIO()
            np.savez(buffer, told=tried.told, losses=tried.losses)
            write_atomic(self._folder / f"{name}.npz", buffer.getvalue())
        write_json_atomic(self._folder / f"{name}.json", tried.candidate.to_dict())

    def clear(self) -> None:
        """Forget everything."""
        remove_directory(self._folder)
