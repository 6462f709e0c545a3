"""A connection to Ray: to a cluster, or to one that is started on this machine and ends with it."""

import importlib
import os
import platform
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

from modelyard.core import ConfigError, MissingExtraError, ModelyardError, installed_versions
from modelyard.training.executor import ONE_THREAD, cores, one_line

__all__ = ["RayLink", "library_versions", "unlike_driver"]

_MEMORY_RETRIES = 1
"""How often Ray tries again what died for want of memory; it counts these deaths apart, and would try for ever."""

_OBJECT_STORE_BYTES = 128 * 2**20
_ANSWER_TIMEOUT_S = 5.0
_LIBRARIES = ("modelyard", "numpy", "scikit-learn", "lightgbm", "xgboost-cpu")


class RayLink:
    """Ray's module, connected on first use.

    Parameters
    ----------
    workers
        Tasks at work at once; by default one per core of the cluster.
    address
        Of a cluster: ``ray://host:10001``, ``host:6379``, or ``auto`` for the one that this machine belongs to. By
        default the Ray that this process is connected to already, else one is started on this machine, and ended by
        :meth:`close`.
    """

    def __init__(self, workers: int | None, address: str | None) -> None:
        self._workers = workers
        self._address = address
        self._ray: Any = None
        self._ours = False

    def connected(self) -> Any:
        """Ray's module.

        Raises
        ------
        MissingExtraError
            If Ray is not installed.
        ModelyardError
            If nothing answers at the address.
        """
        if self._ray is None:
            ray = _require_ray()
            self._ours = not ray.is_initialized()
            if self._ours:
                _connect(ray, self._workers, self._address)
            self._ray = ray
        return self._ray

    def room(self) -> int:
        """Tasks at once: machines may join and leave meanwhile."""
        there = int(self.connected().cluster_resources().get("CPU", 1))
        return max(1, min(self._workers or there, there))

    def close(self) -> None:
        """End Ray, if it was started here."""
        if self._ray is not None and self._ours:
            self._ray.shutdown()
        self._ray = None


def unlike_driver(versions: tuple[tuple[str, str], ...]) -> str:
    """In a worker, which of the driver's versions it does not have; empty if it has them all."""
    own = library_versions()
    for name, version in versions:
        if own[name] != version:
            return f"{socket.gethostname()} has {name} {own[name]}, and the driver {version}"
    return ""


def library_versions() -> dict[str, str]:
    """Versions of what computes."""
    absent = dict.fromkeys(_LIBRARIES, "not installed as a package")
    return {"python": platform.python_version(), **absent, **installed_versions(_LIBRARIES)}


def _connect(ray: Any, workers: int | None, address: str | None) -> None:
    """Join a cluster, or start one on this machine."""
    quiet = {"log_to_driver": False, "configure_logging": False, "runtime_env": {"env_vars": dict(ONE_THREAD)}}
    if address is None:
        ray.init(
            address="local",
            num_cpus=workers or cores(),
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE_BYTES,  # results are small: arrays travel by files
            _system_config={"task_oom_retries": _MEMORY_RETRIES},
            **quiet,
        )
        return
    _knock(address)
    try:
        ray.init(address=address, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreachable(address, one_line(error.__cause__ or error)) from error


def _knock(address: str) -> None:
    """Try the port: Ray itself waits for minutes, and then ends the process."""
    if address == "auto":
        return
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.scheme not in ("", "ray"):
        raise ConfigError(
            "this is no address of a Ray cluster",
            where="training.address",
            got=repr(address),
            cure="Write ray://host:10001, host:6379 or auto",
        )
    try:
        socket.create_connection((host, port), timeout=_ANSWER_TIMEOUT_S).close()
    except OSError as error:
        raise _unreachable(address, one_line(error)) from error


def _unreachable(address: str, got: str) -> ModelyardError:
    return ModelyardError(
        f"the Ray cluster at {address} cannot be reached",
        where="training.address",
        got=got,
        cure="Start it; give this process its token, if it has one (RAY_AUTH_MODE=token, RAY_AUTH_TOKEN); or take "
        "training.address out to work on this machine",
    )


def _require_ray() -> Any:
    """Import Ray, or say how to install it."""
    # Read at import: whether usage is reported to its makers, and the coming default of hiding no accelerator.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        sys.modules.pop("ray", None)
        raise MissingExtraError("ray", extra="ray", needed_for="training on Ray") from error
