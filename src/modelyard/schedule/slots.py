"""When: times that come again and again, numbered, so that missed ones can be counted and made up once. Pure.

A length of whole days begins at midnight of the zone, so that a day is a day when the clock is put forward or back; other
lengths follow UTC. A time of day that the clock leaves out comes as much later as it was put forward; one that comes twice
counts once.
"""

import dataclasses
import datetime as dt
import zoneinfo

from modelyard.problem.duration import seconds_of
from modelyard.problem.sections.schedule import WEEKDAYS

__all__ = ["Slots", "slots_of"]

_DAY_S = 86_400


@dataclasses.dataclass(frozen=True)
class Slots:
    """The moments at which one thing is due.

    Parameters
    ----------
    when
        As the project file writes it, but for ``off``.
    zone
        Time zone whose days and hours are meant.
    """

    when: str
    zone: zoneinfo.ZoneInfo

    @property
    def waits(self) -> bool:
        """True for a time of day: what was never done waits for it; a length begins at once."""
        return " " in self.when

    def latest(self, now: dt.datetime) -> int:
        """The number of the last moment that is not after ``now``."""
        number = self._near(now)
        return number if self.at(number) <= now else number - 1

    def at(self, number: int) -> dt.datetime:
        """The moment of a number, in UTC."""
        kind, _, rest = self.when.partition(" ")
        if not rest:
            seconds = seconds_of(self.when)
            if seconds % _DAY_S:
                return dt.datetime.fromtimestamp(number * seconds, dt.UTC)
            return self._local(dt.date.fromordinal(int(number * seconds // _DAY_S)), "00:00")
        place, _, clock = rest.rpartition(" ")
        if kind == "monthly":
            year, month = divmod(number, 12)
            return self._local(dt.date(year, month + 1, int(place)), clock)
        day = number * 7 + WEEKDAYS.index(place) + 1 if kind == "weekly" else number
        return self._local(dt.date.fromordinal(day), clock)

    def _near(self, now: dt.datetime) -> int:
        """The number of the moment in the same length, day, week or month as ``now``, before it or after it."""
        today = now.astimezone(self.zone).date()
        kind, _, rest = self.when.partition(" ")
        if not rest:
            seconds = seconds_of(self.when)
            whole = seconds % _DAY_S == 0
            return int(today.toordinal() // (seconds // _DAY_S)) if whole else int(now.timestamp() // seconds)
        if kind == "monthly":
            return today.year * 12 + today.month - 1
        return (today.toordinal() - 1) // 7 if kind == "weekly" else today.toordinal()

    def _local(self, day: dt.date, clock: str) -> dt.datetime:
        return dt.datetime.combine(day, dt.time.fromisoformat(clock), self.zone).astimezone(dt.UTC)


def slots_of(when: str, zone: str) -> Slots | None:
    """The moments of a time in a project file; None for ``off``.

    >>> daily = slots_of("daily 06:00", "Europe/Berlin")
    >>> number = daily.latest(dt.datetime(2026, 3, 29, 12, tzinfo=dt.UTC))
    >>> [f"{daily.at(number - back):%d %H:%M}" for back in (0, 1)]
    ['29 04:00', '28 05:00']
    """
    return None if when == "off" else Slots(when, zoneinfo.ZoneInfo(zone))
