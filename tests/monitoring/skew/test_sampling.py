"""Which logged answers are drawn, and how parts of a log fit together."""

import datetime as dt
from pathlib import Path
from typing import Any

from modelyard.monitoring.skew.sampling import draw_answers
from modelyard.serving import PredictionLog, compact

START = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


def write(folder: Path, *accounts: Any, day: int = 0, **changes: Any) -> None:
    """A segment with one answer an account, all of one day."""
    log = PredictionLog(folder, columns={"tenure": "numeric"})
    at = START + dt.timedelta(days=day)
    fixed = {"at": at.isoformat(), "model": "m", "version": "1", "digest": "d", "latency_ms": 1.0, "score": 0.5}
    records = [
        {**fixed, "id": f"{day}-{place}", "label": "Yes", "features": {"tenure": 3, "account": account}, **changes}
        for place, account in enumerate(accounts)
    ]
    log.append(records)
    log.close()


def test_callers_may_write_a_key_as_number_or_text(tmp_path: Path) -> None:
    """7 in one segment and "7" in another, compacted or not, are the same text; columns of one kind keep it."""
    write(tmp_path, 7, 8)
    compact(tmp_path)
    write(tmp_path, "7", "x-9", day=1)
    drawn = draw_answers(tmp_path, "d", size=10, seed=0)

    assert drawn.rows["feature.account"].to_list() == ["7", "8", "7", "x-9"]
    assert drawn.rows["feature.tenure"].to_list() == [3.0] * 4
    assert (drawn.logged, drawn.since, drawn.until) == (4, START, START + dt.timedelta(days=1))


def test_shadows_other_packages_and_older_answers_are_left_out(tmp_path: Path) -> None:
    """What was said in shadow was no answer; and a sample is no larger than asked for."""
    write(tmp_path, *range(20))
    write(tmp_path, *range(30), day=3)
    write(tmp_path, 1, day=4, role="shadow")
    write(tmp_path, 1, day=5, digest="e")
    drawn = draw_answers(tmp_path, "d", size=10, seed=0, since=START + dt.timedelta(days=1))

    assert (drawn.logged, drawn.rows.height, drawn.since) == (30, 10, START + dt.timedelta(days=3))
    assert draw_answers(tmp_path, "d", size=100, seed=0).logged == 50
    assert draw_answers(tmp_path / "nowhere", "d", size=10, seed=0).rows.is_empty()
