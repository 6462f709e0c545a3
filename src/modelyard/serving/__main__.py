"""``python -m modelyard.serving``: serve one package from the command line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from modelyard.core import ConfigError, ModelyardError
from modelyard.packaging.predictors import declare_trust
from modelyard.serving.access import Guard, KeyFile, Rates, is_local
from modelyard.serving.prediction_log import LogPolicy
from modelyard.serving.server import serve
from modelyard.serving.settings import ServingSettings

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, serve until told to stop, and give the exit code (0, or that of the error)."""
    parser = argparse.ArgumentParser(prog="python -m modelyard.serving", description="Serve one package over HTTP.")
    parser.add_argument("--package", type=Path, required=True, help="folder of the package")
    parser.add_argument("--log", type=Path, required=True, help="folder of the prediction log")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port, 0 for a free one (default: %(default)s)")
    parser.add_argument("--max-body-bytes", type=int, default=16 << 20, help="larger bodies are refused")
    parser.add_argument("--keys", type=Path, help="JSON file of the keys that callers need")
    parser.add_argument("--open", action="store_true", help="let everybody ask, also from other machines")
    parser.add_argument("--rate", type=float, help="requests a second that a caller may send")
    parser.add_argument(
        "--traces-to", help="address of an OTLP receiver of traces, such as http://127.0.0.1:4318/v1/traces"
    )
    parser.add_argument("--tls", type=Path, nargs=2, metavar=("CERTIFICATE", "KEY"), help="PEM files")
    _add_log_flags(parser)
    parser.add_argument(
        "--allow-skops", metavar="TYPES", help="read an estimator kept by skops: known, or names of types"
    )
    given = parser.parse_args(arguments)
    try:
        declare_trust(given.allow_skops)
        serve(_settings(given), guard=_guard(given))
    except ModelyardError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return error.exit_code
    return 0


def _settings(given: argparse.Namespace) -> ServingSettings:
    return ServingSettings(
        package_folder=given.package,
        log_folder=given.log,
        host=given.host,
        port=given.port,
        max_body_bytes=given.max_body_bytes,
        traces_to=given.traces_to,
        tls=tuple(given.tls) if given.tls else None,
        log=LogPolicy(
            on_full=given.log_on_full,
            sink=given.log_sink,
            max_backlog_bytes=given.log_backlog_mb << 20,
            personal={**dict.fromkeys(given.log_hash, "hash"), **dict.fromkeys(given.log_drop, "drop")},
            key=given.log_key,
            also=tuple(given.log_also),
        ),
    )


def _add_log_flags(parser: argparse.ArgumentParser) -> None:
    """What becomes of the log; a project says the same under its key ``log``."""
    parser.add_argument("--log-on-full", choices=("refuse", "answer"), default="refuse", help="when the log is full")
    parser.add_argument("--log-sink", metavar="ADDRESS", help="database that gets a copy of the log")
    parser.add_argument("--log-backlog-mb", type=int, default=1024, help="megabytes that may wait for that database")
    parser.add_argument("--log-hash", action="append", default=[], metavar="COLUMN", help="log a keyed hash of it")
    parser.add_argument("--log-drop", action="append", default=[], metavar="COLUMN", help="do not log it")
    parser.add_argument("--log-also", action="append", default=[], metavar="FIELD", help="log it beside the columns")
    parser.add_argument("--log-key", type=Path, metavar="FILE", help="key for hashes, made if it is missing")


def _guard(given: argparse.Namespace) -> Guard:
    """Keys are needed unless only this machine can ask, or the caller says that everybody may."""
    if given.keys is None and not given.open and not is_local(given.host):
        raise ConfigError(
            "other machines can reach this address, and callers would need no key",
            where="--host",
            got=given.host,
            cure="Give --keys FILE, or say --open",
        )
    return Guard(None if given.keys is None else KeyFile(given.keys), None if given.rate is None else Rates(given.rate))


if __name__ == "__main__":
    sys.exit(main())
