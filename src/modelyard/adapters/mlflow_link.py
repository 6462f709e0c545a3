"""The way to MLflow: its package, imported when it is needed, and its errors as one of ours."""

import contextlib
import importlib
import os
from collections.abc import Iterator

from modelyard.core import MissingExtraError, ModelyardError
from modelyard.problem.address import without_password

__all__ = ["reached", "require_mlflow"]

# Read by MLflow at each request. Its own defaults keep a command waiting for minutes when the server is gone.
# Its bars belong to nobody's command.
_MANNERS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def require_mlflow(needed_for: str) -> None:
    """Import MLflow, or say how to install it.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    # Both are read at import: whether usage is reported to its makers, and how much it says about its database.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    for name, value in _MANNERS.items():
        os.environ.setdefault(name, value)
    try:
        importlib.import_module("mlflow")
    except ImportError as error:
        raise MissingExtraError("mlflow", extra="mlflow", needed_for=needed_for) from error


@contextlib.contextmanager
def reached(where: str, what: str) -> Iterator[None]:
    """Turn MLflow's errors, which hide what they came from, into ours.

    Parameters
    ----------
    where
        The tracking URI.
    what
        What could not be done: ``MLflow could not record the run``.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise ModelyardError(
            what,
            where=without_password(where),
            got=" ".join(str(error).split())[:300],
            cure="Start the tracking server, or mend tracking.uri in the project file",
        ) from error
