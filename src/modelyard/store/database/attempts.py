"""What is tried again, and how often: reaching a server, and a change that it undid."""

import contextlib
import functools
import random
import re
import time
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

import sqlalchemy as sa

from modelyard.core import UndoneError
from modelyard.store.database.errors import is_lost

__all__ = ["begun", "repeated"]

P = ParamSpec("P")
R = TypeVar("R")

_DELAYS_S = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Pauses between attempts, each lengthened by chance up to twofold, so that many who were cut off do not come back at once."""

# What a server says that is there and will not change its mind: a wrong password, no such database.
_REFUSED = re.compile(r"FATAL(?!.*(starting up|shutting down|recovery|too many|terminating|reserved))", re.DOTALL)


@contextlib.contextmanager
def begun(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection with a transaction that has begun; whoever changes something commits, else it is undone.

    A server that cannot be reached is tried again for some seconds.
    """
    connection = _connected(engine)
    try:
        yield connection
    except BaseException:
        # A connection that broke cannot undo anything; the server has.
        with contextlib.suppress(sa.exc.DBAPIError):
            connection.rollback()
        raise
    finally:
        connection.close()


def repeated(change: Callable[P, R]) -> Callable[P, R]:
    """Make a function whose one transaction the server undid begin again, up to six times in all.

    For functions that change nothing outside of this one transaction: an :class:`UndoneError` says that it never was.
    """

    @functools.wraps(change)
    def attempt(*args: P.args, **kwargs: P.kwargs) -> R:
        for delay_s in _DELAYS_S:
            try:
                return change(*args, **kwargs)
            except UndoneError:
                _pause(delay_s)
        return change(*args, **kwargs)

    return attempt


def _connected(engine: sa.Engine) -> sa.Connection:
    for delay_s in _DELAYS_S:
        try:
            return _opened(engine)
        except sa.exc.DBAPIError as error:
            if not is_lost(error) or _REFUSED.search(str(error.orig)):
                raise
            _pause(delay_s)
    return _opened(engine)


def _opened(engine: sa.Engine) -> sa.Connection:
    connection = engine.connect()
    try:
        connection.begin()
    except BaseException:
        connection.close()
        raise
    return connection


def _pause(delay_s: float) -> None:
    time.sleep(delay_s * (1 + random.random()))  # noqa: S311 - only to spread those who wait
