"""A clock that tests turn."""

import dataclasses
import datetime as dt

__all__ = ["START", "Hand"]

START = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)


@dataclasses.dataclass
class Hand:
    """The hand of a clock."""

    now: dt.datetime = START

    def __call__(self) -> dt.datetime:
        """What it shows."""
        return self.now

    def forward(self, **lengths: float) -> None:
        """Turn it by days, hours, minutes or seconds; back, if they are negative."""
        self.now += dt.timedelta(**lengths)
