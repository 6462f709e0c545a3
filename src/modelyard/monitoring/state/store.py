"""States on disk: one small file an hour, and a list of what was counted, so that nothing counts twice."""

import contextlib
import dataclasses
import datetime as dt
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from modelyard.core import IntegrityError, Record, canonical_json, digest_json, exclusive_lock, write_atomic
from modelyard.data.profile import ReferenceProfile
from modelyard.monitoring.state.counting import bins_digest
from modelyard.monitoring.state.records import LabelState, WindowState, merged

__all__ = ["PROTOCOL", "StateStore"]

PROTOCOL = 1
"""Raised when the meaning of a stored number changes; states of an earlier one are counted anew from the log."""

_NAME = "%Y%m%dT%H%MZ"
_INDEX = "index.json"


@dataclasses.dataclass(frozen=True)
class _Source(Record):
    """What was counted: its mark when it was read, the hours that it went to, and the mark of the labels joined to them."""

    mark: str
    hours: tuple[dt.datetime, ...]
    labels: str = ""


class StateStore:
    """The states of one version's windows, by hour.

    An hour's file holds one state for each source of rows, a part of the log or a table. A source that is counted again
    takes the place of what it said before: late rows update their hours, a repeated run changes no byte. A second source
    with the very same rows in an hour, by the digest of their ids, is not counted there.

    Parameters
    ----------
    folder
        Made when something is stored.
    profile
        The package's; states over other bins are not read.
    zone
        Whose hours; states of another zone's hours are not read.
    """

    def __init__(self, folder: Path, profile: ReferenceProfile, *, zone: str = "UTC") -> None:
        self._folder = folder
        bins = {one.name: bins_digest(one) for one in profile.features}
        self._ground = digest_json({"protocol": PROTOCOL, "zone": zone, "bins": bins})

    def mark(self, source: str) -> str | None:
        """The mark under which a source was last counted; None if it never was."""
        found = self._sources().get(source)
        return found.mark if found else None

    def labels_mark(self, source: str) -> str | None:
        """The mark of the labels that were last joined to a source; None if it was never counted."""
        found = self._sources().get(source)
        return found.labels if found else None

    def put(self, source: str, mark: str, states: Sequence[WindowState]) -> None:
        """Store what one source says, in the place of what it said before; processes that store at once take turns.

        Raises
        ------
        ModelyardError
            If the disk is full; what was stored is whole, and the source will be read again.
        """
        with self._writing():
            sources = self._sources()
            before = sources[source].hours if source in sources else ()
            now = {state.start: state for state in states}
            for hour in sorted({*before, *now}):
                parts = self._parts(hour)
                was = parts.pop(source, None)
                new = now.get(hour)
                if new is not None and all(_rows(other) != _rows(new) for other in parts.values()):
                    parts[source] = dataclasses.replace(new, labels=was.labels if was else LabelState())
                self._write(hour, parts)
            sources[source] = _Source(mark, tuple(sorted(now)))
            self._write_index(sources)

    def put_labels(self, source: str, mark: str, labels: Mapping[dt.datetime, LabelState]) -> None:
        """Store the labels of one source's rows, in the place of those known before."""
        with self._writing():
            sources = self._sources()
            if source not in sources:
                return
            for hour in sources[source].hours:
                parts = self._parts(hour)
                if source in parts:
                    parts[source] = dataclasses.replace(parts[source], labels=labels.get(hour, LabelState()))
                    self._write(hour, parts)
            sources[source] = dataclasses.replace(sources[source], labels=mark)
            self._write_index(sources)

    def hours(self, since: dt.datetime | None = None, until: dt.datetime | None = None) -> tuple[WindowState, ...]:
        """The stored hours that begin from ``since`` on and before ``until``, in the order of time."""
        starts = sorted({hour for source in self._sources().values() for hour in source.hours})
        chosen = [hour for hour in starts if (since is None or hour >= since) and (until is None or hour < until)]
        states = (merged(self._parts(hour).values()) for hour in chosen)
        return tuple(state for state in states if state is not None)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with exclusive_lock(self._folder / "lock", wait=True):
            if self._read_index() is None:  # nothing yet, or hours over other bins: all is counted anew
                for path in self._folder.glob("*.json.gz"):
                    path.unlink()
                self._write_index({})
            yield

    def _sources(self) -> dict[str, _Source]:
        return self._read_index() or {}

    def _read_index(self) -> dict[str, _Source] | None:
        """The sources; None if there is no index of this profile, zone and protocol."""
        path = self._folder / _INDEX
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["ground"] != self._ground:
                return None
            return {name: _Source.from_dict(source) for name, source in content["sources"].items()}
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(path, error) from error

    def _write_index(self, sources: Mapping[str, _Source]) -> None:
        content = {"ground": self._ground, "sources": {name: one.to_dict() for name, one in sources.items()}}
        _write_if_new(self._folder / _INDEX, canonical_json(content))

    def _parts(self, hour: dt.datetime) -> dict[str, WindowState]:
        path = self._path(hour)
        try:
            content: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
            return {name: WindowState.from_dict(part) for name, part in content.items()}
        except FileNotFoundError:
            return {}
        except (OSError, EOFError, ValueError, TypeError, AttributeError) as error:
            raise _damaged(path, error) from error

    def _write(self, hour: dt.datetime, parts: Mapping[str, WindowState]) -> None:
        path = self._path(hour)
        if not parts:
            path.unlink(missing_ok=True)
            return
        content = canonical_json({name: part.to_dict() for name, part in parts.items()})
        _write_if_new(path, gzip.compress(content, compresslevel=6, mtime=0))

    def _path(self, hour: dt.datetime) -> Path:
        return self._folder / f"{hour.astimezone(dt.UTC):{_NAME}}.json.gz"


def _rows(state: WindowState) -> tuple[int, int]:
    """What tells rows apart: how many they are, and the digest of their ids."""
    return state.rows, state.ids


def _write_if_new(path: Path, content: bytes) -> None:
    """Leave a file alone that holds these bytes already."""
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return
    write_atomic(path, content)


def _damaged(path: Path, error: Exception) -> IntegrityError:
    return IntegrityError(
        "the stored state of a window is damaged",
        where=str(path),
        got=str(error),
        cure="Delete the folder that it is in; the next run counts the log anew",
    )
