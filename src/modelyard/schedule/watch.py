"""The loop around a tick: one process that goes on until it is told to end."""

import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from modelyard.core import LockedError, ModelyardError
from modelyard.schedule.lease import Lease
from modelyard.schedule.records import Ran, Tick
from modelyard.schedule.tick import Ticker

__all__ = ["ending_on_signals", "watch"]

_LOG = logging.getLogger(__name__)
_LONGEST_NAP_S = 30.0
_PAUSE_S = 5.0


def watch(
    ticker: Ticker,
    lease: Lease,
    stop: threading.Event,
    *,
    tell: Callable[[Ran], None],
    alive: Callable[[Tick], None] = lambda _: None,
    standby_s: float | None = None,
) -> None:
    """Do what is due, again and again, until ``stop`` is set; what runs then is ended or broken off where it can go on.

    Parameters
    ----------
    ticker, lease
        The work, and the right to do it, which is held all the time.
    stop
        Ends the loop.
    tell
        Hears of each run.
    alive
        Hears of each tick.
    standby_s
        Seconds between two attempts at the lease, if another process has it; None not to wait.

    Raises
    ------
    LockedError
        If another process has the lease and it is not to be waited for; or took it, since this one was not heard of.
    """
    with contextlib.ExitStack() as stack:
        while not stop.is_set():
            try:
                stack.enter_context(lease.held())
                break
            except LockedError:
                if standby_s is None:
                    raise
                stop.wait(standby_s)
        while not stop.is_set():
            try:
                tick = ticker.tick(tell)
            except ModelyardError as error:
                if lease.is_lost:
                    raise
                _LOG.warning("the store could not be asked, so nothing was done: %s", error)
                stop.wait(_PAUSE_S)
                continue
            alive(tick)
            stop.wait(_nap_s(tick))


def _nap_s(tick: Tick) -> float:
    """Seconds until something is due; never long, since clocks are put forward and machines sleep."""
    if tick.next is None:
        return _LONGEST_NAP_S
    return min(max((tick.next - tick.at).total_seconds(), 0.2), _LONGEST_NAP_S)


@contextlib.contextmanager
def ending_on_signals(stop: threading.Event) -> Iterator[None]:
    """Within the block SIGTERM and SIGINT set ``stop``; a second one ends the process at once."""
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}

    def end(number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for name in before:
        signal.signal(name, end)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
