"""One server process on uvicorn: bounded, quiet, and gone only when its answers are out and its log is written."""

import contextlib
import functools
import gc
import json
import logging
import socket
import ssl
import sys
from typing import TextIO

import msgspec
import uvicorn

from modelyard.core import ConfigError, StateError
from modelyard.serving.access import Guard
from modelyard.serving.app import ServingApp, create_app
from modelyard.serving.following import Deployments
from modelyard.serving.lane import LaneProtocol
from modelyard.serving.routing import RolloutSource
from modelyard.serving.settings import ServingSettings
from modelyard.serving.tracing import Tracing, open_tracing
from modelyard.version import __version__

__all__ = ["listen", "run_app", "serve"]

_BACKLOG = 2_048
_SWITCH_INTERVAL_S = 0.0005
_RECORD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _JsonFormatter(logging.Formatter):
    """Log records as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _RECORD_FIELDS},
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class _Server(uvicorn.Server):
    """A uvicorn server, saying in one line of JSON when and where it listens."""

    def __init__(self, config: uvicorn.Config, app: ServingApp, stream: TextIO) -> None:
        super().__init__(config)
        self._app = app
        self._stream = stream

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        active = self._app.endpoint.active
        scheme = "http" if self._app.settings.tls is None else "https"
        host, port = (sockets or [])[0].getsockname()[:2]
        line = {
            "event": "serving",
            "url": f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}",
            "model": active.name,
            "version": active.version,
            "digest": active.digest,
            "ready": active.is_verified,
            "keys": self._app.guard.keys,
            "parity": active.parity.max_abs_difference,
            "fallback": active.scorer.is_fallback,
            "log": str(self._app.settings.log_folder),
            "modelyard": __version__,
        }
        self._stream.write(msgspec.json.encode(line).decode() + "\n")
        self._stream.flush()


def serve(
    settings: ServingSettings,
    *,
    guard: Guard | None = None,
    deployments: Deployments | None = None,
    rollouts: RolloutSource | None = None,
    stream: TextIO | None = None,
) -> None:
    """Serve a package until SIGTERM or SIGINT; open requests are finished and the log is written before the end.

    Writes one line of JSON to ``stream`` (standard output by default) when it listens: ``{"event": "serving", "url": …,
    "model": …, "version": …, "digest": …, "ready": …}``. Failures go to standard error, one JSON object a line.

    Parameters
    ----------
    guard
        Lets requests pass or refuses them; by default everybody may ask everything.
    deployments
        What is in production; when that changes, the new package takes over without a restart. None to serve the
        package of the settings to the end.
    rollouts
        Which version is on its way to production, and answers some of the requests.

    Raises
    ------
    IntegrityError
        If a file of the package is not what was packaged.
    ConfigError
        If the certificate or its key cannot be used.
    StateError
        If the address is in use or not allowed.
    ModelyardError
        If the package or the log folder cannot be used.
    """
    tracing = None if settings.traces_to is None else open_tracing(settings.traces_to)
    _log_as_json(tracing)
    _check_certificate(settings)
    with contextlib.closing(listen(settings.host, settings.port)) as listener:
        app = create_app(settings, guard=guard, deployments=deployments, rollouts=rollouts, tracing=tracing)
        run_app(app, listener, stream or sys.stdout)


def run_app(app: ServingApp, listener: socket.socket, stream: TextIO) -> None:
    """Run an application on a bound socket until SIGTERM or SIGINT; see :func:`serve`."""
    server = _Server(_config(app, app.settings), app, stream)
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn has drained; it raises the signal again when it is done
        server.run(sockets=[listener])


def _config(app: ServingApp, settings: ServingSettings) -> uvicorn.Config:
    """Settings of uvicorn: the fast protocol and loop, no access log, nothing unbounded."""
    return uvicorn.Config(
        app,
        http="httptools" if app.lane is None else functools.partial(LaneProtocol, app.lane),  # type: ignore[arg-type]
        loop="uvloop",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.drain_timeout_s,
        ssl_certfile=settings.tls[0] if settings.tls else None,
        ssl_keyfile=settings.tls[1] if settings.tls else None,
    )


def _check_certificate(settings: ServingSettings) -> None:
    """Refuse files that TLS cannot use, before anything is loaded."""
    if settings.tls is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*settings.tls)
    except OSError as error:
        raise ConfigError(
            "the certificate and its key cannot be used",
            where=", ".join(map(str, settings.tls)),
            got=error.strerror or str(error),
            cure="Give two PEM files that belong together, which this user may read",
        ) from error


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that a taken port is a clear error before the package is loaded.

    Raises
    ------
    StateError
        If the address is in use or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StateError(
            "the address cannot be listened on",
            where=f"{host}:{port}",
            got=error.strerror or str(error),
            cure="Choose another port (0 takes a free one) or host, or stop what listens there",
        ) from error
    listener.set_inheritable(False)
    return listener


def _log_as_json(tracing: Tracing | None) -> None:
    """Send log records to standard error as JSON lines, with the ids of traces."""
    handler = logging.StreamHandler(sys.stderr)
    if tracing is not None:
        tracing.name_logs(handler)
    handler.setFormatter(_JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
