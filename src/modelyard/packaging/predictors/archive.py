"""Predictors of plain arrays: one compressed NumPy archive without pickle."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.packaging.predictors.files import damaged, file_of

__all__ = ["archive_of", "arrays_in"]


def archive_of(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """The arrays by name, as one file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def arrays_in(files: Mapping[str, bytes], name: str, wanted: Sequence[str] = ()) -> dict[str, npt.NDArray[np.float64]]:
    """The arrays in the file called ``name``, all of doubles and finite.

    Parameters
    ----------
    wanted
        Names that must be there.

    Raises
    ------
    IntegrityError
        If the file or an array is missing or damaged.
    """
    try:
        with np.load(io.BytesIO(file_of(files, name)), allow_pickle=False) as archive:
            arrays = {key: np.asarray(archive[key], dtype=np.float64) for key in archive.files}
    except (KeyError, TypeError, ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise damaged(name, repr(error)) from error
    missing = [key for key in wanted if key not in arrays]
    if missing or not all(np.isfinite(array).all() for array in arrays.values()):
        raise damaged(name, f"no {', '.join(missing)}" if missing else "numbers that are not finite")
    return arrays
