"""Times that come again: numbers and moments, days that are shorter or longer, clocks that jump."""

import datetime as dt
import zoneinfo
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import ConfigError
from modelyard.problem import load_problem
from modelyard.schedule.book import Due, JobRow, due
from modelyard.schedule.slots import Slots, slots_of

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
WHENS = st.sampled_from(["5m", "1h", "6h", "1d", "7d", "1d12h", "daily 02:30", "weekly sun 02:30", "monthly 28 23:59"])
MOMENTS = st.integers(631_152_000, 2_840_140_800).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])


def moment(text: str) -> dt.datetime:
    """A moment in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def days(when: str, first: str, count: int) -> list[str]:
    """Moments in UTC that follow one another in Berlin."""
    slots = Slots(when, BERLIN)
    number = slots.latest(moment(first))
    return [f"{slots.at(number + index):%m-%d %H:%M}" for index in range(count)]


@settings(max_examples=80)
@given(when=WHENS, now=MOMENTS, zone=ZONES)
def test_the_latest_moment_is_the_last_one_that_is_not_ahead(when: str, now: dt.datetime, zone: str) -> None:
    """Whatever the time and zone: the latest is not after now, the next one is, and each has its own number."""
    slots = slots_of(when, zone)
    assert slots is not None
    latest = slots.latest(now)

    assert slots.at(latest) <= now < slots.at(latest + 1)
    assert slots.latest(slots.at(latest)) == latest


def test_an_hour_that_is_left_out_comes_later_and_one_that_comes_twice_counts_once() -> None:
    """Clocks go forward on 29 March and back on 25 October; every day has one moment."""
    assert days("daily 02:30", "2026-03-28 12:00", 3) == ["03-28 01:30", "03-29 01:30", "03-30 00:30"]
    assert days("daily 02:30", "2026-10-24 12:00", 3) == ["10-24 00:30", "10-25 00:30", "10-26 01:30"]
    assert days("1d", "2026-03-28 23:30", 3) == ["03-28 23:00", "03-29 22:00", "03-30 22:00"]
    assert days("weekly mon 06:00", "2026-03-24 12:00", 2) == ["03-23 05:00", "03-30 04:00"]
    assert days("monthly 1 00:15", "2026-01-15 12:00", 3) == ["12-31 23:15", "01-31 23:15", "02-28 23:15"]


def test_missed_moments_are_made_up_once() -> None:
    """A week later the last moment is due, and six more were missed; then nothing is due before the next."""
    daily = Slots("daily 06:00", zoneinfo.ZoneInfo("UTC"))
    served = JobRow(served=moment("2026-11-02 06:00").timestamp())

    assert due(daily, served, moment("2026-11-03 05:59")) is None
    assert due(daily, served, moment("2026-11-09 07:00")) == Due(moment("2026-11-09 06:00"), 6)
    assert due(daily, None, moment("2026-11-09 07:00")) is None
    assert due(Slots("1d", daily.zone), None, moment("2026-11-09 07:00")) == Due(moment("2026-11-09 00:00"), 0)


def test_a_clock_that_jumps_back_does_nothing_twice() -> None:
    """Put back by an hour nothing is due; a moment a year ahead was served by a clock that was wrong."""
    daily = Slots("daily 06:00", zoneinfo.ZoneInfo("UTC"))
    served = JobRow(served=moment("2026-11-02 06:00").timestamp())
    wrong = JobRow(served=moment("2027-11-02 06:00").timestamp())

    assert due(daily, served, moment("2026-11-02 05:30")) is None
    assert due(daily, wrong, moment("2026-11-02 05:30")) == Due(moment("2026-11-01 06:00"), 0)


def test_after_a_failure_the_next_try_has_its_time() -> None:
    """Not before it, and not at all costs: a clock that was put back far behind does not make it wait."""
    hourly = Slots("1h", zoneinfo.ZoneInfo("UTC"))
    began, retry = moment("2026-11-02 06:00"), moment("2026-11-02 06:04")
    failed = JobRow(began=began.timestamp(), failures=3, retry=retry.timestamp())

    assert due(hourly, failed, moment("2026-11-02 06:03")) is None
    assert due(hourly, failed, moment("2026-11-02 06:04")) == Due(began, 0)
    assert due(hourly, failed, moment("2026-11-01 09:30")) == Due(moment("2026-11-01 09:00"), 0)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("monitor: daily 25:00", "write a length (1d, 6h), 'daily 06:00'"),
        ("monitor: 0d", "write a length (1d, 6h), 'daily 06:00'"),
        ("review: {monthly: monthly 31 06:00}", "a day up to the 28th"),
        ("zone: Europe/Bärlin", "no time zone has this name"),
        ("montior: 1d", "Did you mean 'monitor'?"),
        (
            "score: [{name: a, source: a.csv, destination: b.csv}, {name: a, source: c.csv, destination: d.csv}]",
            "a stands there twice",
        ),
        ("score: [{name: a, source: 'postgresql://u:secret@h/d', destination: b.csv}]", "must not hold a password"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(tmp_path: Path, section: str, said: str) -> None:
    """Each with the place and the cure."""
    text = f"data: {{source: rows.csv, target: y}}\nschedule:\n  {section}\n"
    (tmp_path / "modelyard.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_problem(tmp_path)

    assert said in caught.value.sentence
    assert "schedule" in caught.value.sentence
