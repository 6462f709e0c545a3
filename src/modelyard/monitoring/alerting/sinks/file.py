"""A file of JSON lines, one a message, flushed to the disk."""

import os
from pathlib import Path

from modelyard.core import ModelyardError, canonical_json, exclusive_lock
from modelyard.monitoring.alerting.notice import Notice
from modelyard.problem.sections import SinkPlan

__all__ = ["FileSink"]


class FileSink:
    """Appends to ``path``; several processes take turns."""

    def __init__(self, plan: SinkPlan, root: Path) -> None:
        self._path = root / (plan.path or "alerts.jsonl")

    def deliver(self, notice: Notice) -> None:
        """Append the message."""
        line = canonical_json(notice.to_dict()) + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with (
                exclusive_lock(self._path.with_name(f".{self._path.name}.lock"), wait=True),
                self._path.open("ab") as file,
            ):
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ModelyardError(
                "the file of alerts cannot be written",
                where=str(self._path),
                got=error.strerror or str(error),
                cure="Fix the permissions, free some space, or name another path",
            ) from error
