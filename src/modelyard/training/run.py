"""A training run on disk: its record, its models and its out-of-fold predictions, each verified before it is read."""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from modelyard.core import IntegrityError, StateError, atomic_directory, digest_file, write_json_atomic
from modelyard.store import Workspace
from modelyard.training.model import FittedModel
from modelyard.training.records import TrainingRun
from modelyard.training.search.matrices import save_array

__all__ = ["RunContents", "StoredRun", "load_run", "store_run"]

_PROTOCOL = 1
_FILE = "run.json"
_FOLDS = "folds.npy"

WhichModel = Literal["development", "final"]


@dataclasses.dataclass(frozen=True)
class StoredRun:
    """A finished run.

    Parameters
    ----------
    record
        What was tried, and what won.
    folder
        Where its files lie.
    """

    record: TrainingRun
    folder: Path

    def model(self, which: WhichModel) -> FittedModel:
        """The winner, fitted: ``development`` on the training part, ``final`` on training and validation together.

        Models are pickled; the digest in the run's record is checked before anything is loaded.

        Raises
        ------
        IntegrityError
            If the file is not what was stored.
        """
        import joblib

        model: FittedModel = joblib.load(self._verified(f"{which}.joblib"))
        return model

    def out_of_fold(self, candidate: str) -> npt.NDArray[np.float64]:
        """Predictions of a candidate on the rows of the training part, each made by a model that had not seen it.

        Returns
        -------
        NDArray
            Shape (rows,), or (rows, classes) for several classes; NaN where a row was never held out.

        Raises
        ------
        StateError
            If the run has no such candidate, or it was not scored on all folds.
        IntegrityError
            If the file is not what was stored.
        """
        found = self.record.candidate(candidate)
        if _out_of_fold_file(candidate) not in self.record.artefacts:
            raise StateError(
                "this candidate has no out-of-fold predictions",
                where=f"run {self.record.id}",
                got=f"{candidate!r}, {found.status.value}",
                cure="Choose a candidate that is done, or train again",
            )
        predictions: npt.NDArray[np.float64] = np.load(self._verified(_out_of_fold_file(candidate)), allow_pickle=False)
        return predictions

    def fold_of_row(self) -> npt.NDArray[np.int64]:
        """The fold in which each row of the training part was held out; -1 for rows that never were."""
        folds: npt.NDArray[np.int64] = np.load(self._verified(_FOLDS), allow_pickle=False)
        return folds

    def _verified(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists() or digest_file(path) != self.record.artefacts.get(name):
            raise IntegrityError(
                "a file of the training run is not what was stored",
                where=str(path),
                got="another digest" if path.exists() else "no file",
                cure="Restore it from a backup, or train again; never load a model that was changed",
            )
        return path


@dataclasses.dataclass(frozen=True)
class RunContents:
    """The files of a run.

    Parameters
    ----------
    development, final
        The fitted winner.
    out_of_fold
        By candidate.
    fold_of_row
        As :meth:`StoredRun.fold_of_row` gives it.
    """

    development: FittedModel
    final: FittedModel
    out_of_fold: dict[str, npt.NDArray[np.float64]]
    fold_of_row: npt.NDArray[np.int64]


def store_run(record: TrainingRun, contents: RunContents, workspace: Workspace) -> StoredRun:
    """Publish a run under its id, whole or not at all; the digests of its files go into the record."""
    import joblib

    folder = workspace.folder("runs", record.id)
    with atomic_directory(folder) as building:
        with ThreadPoolExecutor(2) as both:  # compression lets go of the interpreter
            models = {"development.joblib": contents.development, "final.joblib": contents.final}
            list(both.map(lambda item: joblib.dump(item[1], building / item[0], compress=1), models.items()))
        save_array(building / _FOLDS, contents.fold_of_row)
        for name, predictions in contents.out_of_fold.items():
            save_array(building / _out_of_fold_file(name), predictions)
        files = sorted(path for path in building.rglob("*") if path.is_file())
        artefacts = {str(path.relative_to(building)): digest_file(path) for path in files}
        record = dataclasses.replace(record, artefacts=artefacts)
        write_json_atomic(building / _FILE, {"protocol": _PROTOCOL, "record": record.to_dict()})
    return StoredRun(record, folder)


def load_run(id: str, workspace: Workspace) -> StoredRun:  # noqa: A002 - the field's name
    """A run stored before.

    Raises
    ------
    StateError
        If there is no run of that id.
    IntegrityError
        If its record is damaged, or written by another version.
    """
    path = workspace.folder("runs", id) / _FILE
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StateError(
            "there is no training run of this id", where="runs", got=repr(id), cure="Run `modelyard train` first"
        ) from error
    except ValueError as error:
        raise IntegrityError(
            "the record of a training run is damaged",
            where=str(path),
            got=str(error),
            cure="Restore it from a backup, or train again",
        ) from error
    if content.get("protocol") != _PROTOCOL:
        raise IntegrityError(
            "the training run was written by another version of modelyard",
            where=str(path),
            got=f"protocol {content.get('protocol')}",
            cure="Upgrade modelyard, or train again",
        )
    return StoredRun(TrainingRun.from_dict(content["record"]), path.parent)


def _out_of_fold_file(candidate: str) -> str:
    return f"out-of-fold/{candidate}.npy"
