"""A line before work that takes long: one at a time, and only so many waiting."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from modelyard.serving.formats import RefusedRequestError

__all__ = ["Line"]


class Line:
    """Lets one request after the other do its work.

    Parameters
    ----------
    most
        Requests at work and waiting together.
    what
        What they ask for, in the plural; names the refusal.
    """

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._turn = asyncio.Lock()
        self._standing = 0

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for one's turn.

        Raises
        ------
        RefusedRequestError
            With status 503, at once, if the line is full.
        """
        if self._standing >= self._most:
            raise RefusedRequestError(
                503,
                f"{self._what}-busy",
                f"too many {self._what} are asked for at the moment",
                cure="Ask again in a moment; single rows to /predict are answered meanwhile",
                headers={"retry-after": "1"},
            )
        self._standing += 1
        try:
            async with self._turn:
                yield
        finally:
            self._standing -= 1
