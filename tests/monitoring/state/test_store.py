import datetime as dt
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from modelyard.core import IntegrityError
from modelyard.data.profile import ReferenceProfile
from modelyard.monitoring.state import StateStore, WindowState, count_log, count_rows, count_table, join_states, merged
from modelyard.serving.prediction_log import LogKind, PredictionLog, compact

Log = tuple[pl.DataFrame, pl.DataFrame]
MakeLog = Callable[..., Log]


def _records(log: pl.DataFrame) -> list[dict[str, object]]:
    names = [name for name in log.columns if name.startswith("feature.")]
    return [
        {
            "id": row["id"],
            "at": row["at"].isoformat(),
            "digest": "d1",
            "score": row["score"],
            "label": row["label"],
            "latency_ms": 3.0,
            "features": {name.removeprefix("feature."): row[name] for name in names},
        }
        for row in log.iter_rows(named=True)
    ]


def _write(folder: Path, *logs: pl.DataFrame) -> None:
    """Each log as a segment of its own."""
    for log in logs:
        writer = PredictionLog(
            folder, LogKind.PREDICTIONS, columns={"age": "numeric", "spend": "numeric", "plan": "category"}
        )
        writer.append(_records(log))
        writer.close()


def _bytes(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def _total(store: StateStore) -> WindowState:
    total = merged(store.hours())
    assert total is not None
    return total


def test_a_repeated_run_changes_no_byte(tmp_path: Path, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """The log is counted once; compaction and further runs leave every file as it is."""
    log, _ = make_log(2, rows=120)
    _write(tmp_path / "log", log.head(120), log.tail(120))
    store = StateStore(tmp_path / "states", profile)
    first = count_log(store, profile, tmp_path / "log", "d1")
    before = _bytes(tmp_path / "states")
    again = count_log(StateStore(tmp_path / "states", profile), profile, tmp_path / "log", "d1")
    same = _bytes(tmp_path / "states")
    states = store.hours()
    compact(tmp_path / "log")
    after = count_log(store, profile, tmp_path / "log", "d1")

    assert (first, again, after) == (2, 0, 2)
    assert same == before
    assert store.hours() == states
    assert _total(store).rows == 240
    assert _total(store).features == merged(count_rows(profile, log)).features  # type: ignore[union-attr]


def test_late_rows_update_their_hour(tmp_path: Path, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """Rows of the first hour that come last are in the first hour's state; other packages' rows are in none."""
    log, _ = make_log(2, rows=100)
    early, late = log.filter(pl.int_range(pl.len()) % 3 != 0), log.filter(pl.int_range(pl.len()) % 3 == 0)
    store = StateStore(tmp_path / "states", profile)
    _write(tmp_path / "log", early)
    count_log(store, profile, tmp_path / "log", "d1")
    _write(tmp_path / "log", late)
    count_log(store, profile, tmp_path / "log", "d1")
    expected = count_rows(profile, log)
    other = StateStore(tmp_path / "other", profile)
    count_log(other, profile, tmp_path / "log", "d2")

    assert [state.rows for state in store.hours()] == [100, 100]
    assert [state.features for state in store.hours()] == [state.features for state in expected]
    assert other.hours() == ()


def test_a_table_counts_once_under_any_name(tmp_path: Path, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """The same rows again, under the same name or another, are not counted again; corrected rows replace the old."""
    log, _ = make_log(1, rows=300)
    store = StateStore(tmp_path, profile)
    for name in ("march.csv", "march.csv", "copy of march.csv"):
        count_table(store, profile, log, name)
    once = _total(store)
    count_table(store, profile, log.head(200), "march.csv")

    assert once.rows == 300
    assert _total(store).rows == 200


def test_late_and_corrected_labels_join_their_hour(
    tmp_path: Path, profile: ReferenceProfile, make_log: MakeLog
) -> None:
    """Labels are counted in the hour of the prediction, a correction replaces, and unknown ids count nowhere."""
    log, labels = make_log(2, rows=100)
    _write(tmp_path / "log", log)
    store = StateStore(tmp_path / "states", profile)
    count_log(store, profile, tmp_path / "log", "d1")
    came = log["at"] + dt.timedelta(hours=5)
    some = labels.with_columns(at=came).head(30)
    join_states(store, tmp_path / "log", "d1", some)
    first = [state.labels.rows for state in store.hours()]
    corrected = labels.with_columns(at=came, label=pl.lit("Yes")).head(130)
    unknown = corrected.head(1).with_columns(id=pl.lit("nobody"))
    for _ in range(2):
        join_states(store, tmp_path / "log", "d1", pl.concat([corrected, unknown]))
    states = store.hours()

    assert first == [30, 0]
    assert [(state.labels.rows, dict(state.labels.outcomes)) for state in states] == [
        (100, {"Yes": 100}),
        (30, {"Yes": 30}),
    ]
    assert states[0].labels.delay_us == 100 * 5 * 3600 * 10**6


def test_states_over_other_bins_are_counted_anew(tmp_path: Path, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """Another zone, or another profile, empties the store instead of adding what does not fit."""
    log, _ = make_log(1, rows=50)
    count_table(StateStore(tmp_path, profile), profile, log, "one")
    india = StateStore(tmp_path, profile, zone="Asia/Kolkata")

    assert india.hours() == ()
    count_table(india, profile, log, "one", zone="Asia/Kolkata")
    assert [f"{state.start:%H:%M}" for state in india.hours()] == ["23:30"]
    assert StateStore(tmp_path, profile).hours() == ()


def test_a_damaged_state_is_named(tmp_path: Path, profile: ReferenceProfile, make_log: MakeLog) -> None:
    """A file that was cut short is refused with its name."""
    log, _ = make_log(1, rows=50)
    store = StateStore(tmp_path, profile)
    count_table(store, profile, log, "one")
    path = next(tmp_path.glob("*.json.gz"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(IntegrityError, match=path.name):
        store.hours()
