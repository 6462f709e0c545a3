"""The one exception tree. Each error says what, where, got what, and the cure.

::

    ModelyardError                 exit 1  http 500   we broke
    ├── ConfigError                exit 2  http 400   the project file or an argument is wrong
    ├── DataError                  exit 2  http 422   the data cannot be used as asked
    ├── StateError                 exit 2  http 409   a step is missing, or comes at the wrong moment
    │   └── LockedError            exit 2  http 409   another command is at work on this project
    │       └── UndoneError        exit 2  http 409   the database undid a change; made again it succeeds
    ├── MissingExtraError          exit 2  http 501   an optional dependency is not installed
    ├── NotPermittedError          exit 3  http 403   this actor may not do this
    ├── GateRefusedError           exit 3  http 409   a gate or a check said no
    ├── IntegrityError             exit 1  http 500   stored bytes are not what was stored
    ├── WaitingForApprovalError    exit 4  http 409   a person has to decide first
    └── InconclusiveError          exit 5  http 409   not enough evidence to decide
"""

from typing import ClassVar

__all__ = [
    "ConfigError",
    "DataError",
    "GateRefusedError",
    "InconclusiveError",
    "IntegrityError",
    "LockedError",
    "MissingExtraError",
    "ModelyardError",
    "NotPermittedError",
    "StateError",
    "UndoneError",
    "WaitingForApprovalError",
]


class ModelyardError(Exception):
    """Base of every error that modelyard raises on purpose.

    Parameters
    ----------
    what
        What is wrong, without a final full stop: "the target column is missing".
    where
        The place: a file, a key, a column.
    got
        The offending value, shortened by the caller if it may be long.
    cure
        What to do next, as an imperative without a final full stop.
    """

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, what: str, *, where: str = "", got: str = "", cure: str = "") -> None:
        self.what = what
        self.where = where
        self.got = got
        self.cure = cure
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """One line for a person: where, what, got, and the cure.

        >>> ConfigError("unknown key", where="modelyard.yaml", got="'targt'", cure="Did you mean 'target'?").sentence
        "modelyard.yaml: unknown key; got 'targt'. Did you mean 'target'?"
        """
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.got:
            text = f"{text}; got {self.got}"
        if self.cure:
            cure = self.cure if self.cure.endswith((".", "?", "!")) else f"{self.cure}."
            return f"{text}. {cure}"
        return f"{text}."

    def to_dict(self) -> dict[str, str]:
        """The error as data, for ``--json`` and HTTP problem bodies."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "got": self.got,
            "cure": self.cure,
        }


class ConfigError(ModelyardError):
    """The project file or an argument is wrong."""

    exit_code = 2
    http_status = 400


class DataError(ModelyardError):
    """The data cannot be used as asked."""

    exit_code = 2
    http_status = 422


class StateError(ModelyardError):
    """A step is missing, or comes at the wrong moment."""

    exit_code = 2
    http_status = 409


class LockedError(StateError):
    """Another command is at work on this project."""


class UndoneError(LockedError):
    """The database undid the whole change, or the way to it broke before the change was made; nothing is half done."""


class MissingExtraError(ModelyardError):
    """An optional dependency is not installed."""

    exit_code = 2
    http_status = 501

    def __init__(self, package: str, *, extra: str, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs the package {package!r}, which is not installed",
            cure=f"Run: pip install 'modelyard[{extra}]'",
        )


class NotPermittedError(ModelyardError):
    """The actor may not do what was asked."""

    exit_code = 3
    http_status = 403


class GateRefusedError(ModelyardError):
    """A gate or a check said no."""

    exit_code = 3
    http_status = 409


class IntegrityError(ModelyardError):
    """Stored bytes are not what was stored."""


class WaitingForApprovalError(ModelyardError):
    """A person has to decide first."""

    exit_code = 4
    http_status = 409


class InconclusiveError(ModelyardError):
    """There is not enough evidence to decide."""

    exit_code = 5
    http_status = 409
