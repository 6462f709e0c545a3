"""Heads of requests that were parsed before: the same bytes say the same, so that nobody parses them again."""

__all__ = ["Headers", "KnownHeads"]

Headers = list[tuple[bytes, bytes]]

_END = b"\r\n\r\n"
_LONGEST = 4_096
_MOST = 1_024


class KnownHeads:
    """Heads of plain requests whose bodies came with them; callers send the same one again and again.

    At most 1,024 of at most 4,096 bytes are known. Callers who never send one twice would fill that, so it is emptied then.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Headers, int]] = {}

    def find(self, data: bytes) -> tuple[Headers, bytes] | None:
        """Headers and body, if the bytes are one whole request with a known head."""
        head, _, body = data.partition(_END)
        known = self._known.get(head)
        return (known[0], body) if known is not None and known[1] == len(body) else None

    def learn(self, data: bytes, headers: Headers, body: bytes) -> None:
        """Know a head from now on, if the bytes were just one request: this head and this body."""
        head, _, rest = data.partition(_END)
        if rest != body or len(head) > _LONGEST:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[head] = (headers, len(body))
