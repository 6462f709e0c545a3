"""Shared libraries of boosting packages, loaded without importing the packages.

``import lightgbm`` and ``import xgboost`` load scikit-learn, SciPy, pandas and PyArrow when those are installed, which
costs a server one to two seconds and some 100 MB. Their C interfaces need none of it.
"""

import ctypes
import importlib.util
from pathlib import Path

from modelyard.core import ModelyardError

__all__ = ["load_library"]


def load_library(package: str, stem: str) -> ctypes.CDLL:
    """The shared library ``lib/<stem>.*`` inside an installed package, which is found but not imported.

    Raises
    ------
    ModelyardError
        If the package or its library is not installed, or cannot be loaded.
    """
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    candidates = [path for folder in folders for path in sorted(Path(folder, "lib").glob(f"{stem}.*"))]
    if not candidates:
        raise ModelyardError(
            f"scoring with this package needs the library of {package!r}, which is not installed",
            where=f"{package}/lib/{stem}",
            cure="Install the versions that the package's requirements.txt names",
        )
    try:
        return ctypes.CDLL(str(candidates[0]))
    except OSError as error:
        raise ModelyardError(
            f"the library of {package!r} cannot be loaded",
            where=str(candidates[0]),
            got=str(error),
            cure="Install the OpenMP runtime of the system (Debian: libgomp1)",
        ) from error
