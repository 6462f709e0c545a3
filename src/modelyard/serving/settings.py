"""What a server may be told: where the package and the log are, and its limits."""

import dataclasses
from pathlib import Path

from modelyard.core import ConfigError
from modelyard.serving.prediction_log import LogPolicy

__all__ = ["ServingSettings"]


@dataclasses.dataclass(frozen=True)
class ServingSettings:
    """Settings of one server process.

    Parameters
    ----------
    package_folder
        The package to serve; verified by digest and by its golden rows before the first answer.
    log_folder
        Where predictions and feedback are logged; made if it is missing.
    host, port
        Address to listen on; port 0 takes a free one, which the start line names.
    max_body_bytes
        Larger request bodies are refused with 413.
    max_rows
        Requests with more rows are refused with 413; files belong to batch scoring.
    max_table_rows, max_table_bytes
        Tables (Arrow, Parquet) with more rows, or that take up more bytes when they are unpacked, are refused with 413.
    slice_rows
        Rows scored between two turns of the event loop, so that a large request does not hold up small ones.
    body_timeout_s
        Time for a request body to arrive once its header has; 408 afterwards.
    keep_alive_s
        Idle connections are closed after this time.
    drain_timeout_s
        Time for open requests to end after SIGTERM or SIGINT.
    max_connections
        Connections beyond this are answered with 503 at once.
    max_pending_log_bytes
        Records that may wait for the disk; beyond it requests are answered with 503 until it catches up.
    segment_bytes
        A log segment is closed, and may be compacted, once it is this large.
    follow_s
        Seconds between two looks at the deployment log and at the keys, where the server has them.
    golden_s
        Seconds between two replays of the golden rows while the server runs.
    traces_to
        Address of an OTLP receiver for spans of requests (``http://127.0.0.1:4318/v1/traces``); None for no tracing.
    log
        What becomes of records: personal columns, a full disk, a copy in a database.
    tls
        PEM files, certificate and key, with which the server speaks TLS; None for plain HTTP.

    Raises
    ------
    ConfigError
        If a limit is not positive, or the port is outside 0–65535.
    """

    package_folder: Path
    log_folder: Path
    host: str = "127.0.0.1"
    port: int = 8080
    max_body_bytes: int = 16 << 20
    max_rows: int = 10_000
    max_table_rows: int = 100_000
    max_table_bytes: int = 256 << 20
    slice_rows: int = 64
    body_timeout_s: float = 30.0
    keep_alive_s: int = 30
    drain_timeout_s: int = 20
    max_connections: int = 4_096
    max_pending_log_bytes: int = 64 << 20
    segment_bytes: int = 64 << 20
    follow_s: float = 0.25
    golden_s: float = 60.0
    traces_to: str | None = None
    tls: tuple[Path, Path] | None = None
    log: LogPolicy = dataclasses.field(default_factory=LogPolicy)

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ConfigError(
                "the port must be between 0 and 65535",
                where="ServingSettings.port",
                got=str(self.port),
                cure="Choose a port in that range; 0 takes a free one",
            )
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and field.name != "port" and value <= 0:
                raise ConfigError(
                    "a limit must be above 0",
                    where=f"ServingSettings.{field.name}",
                    got=str(value),
                    cure="Give a positive number, or leave it out for the default",
                )
