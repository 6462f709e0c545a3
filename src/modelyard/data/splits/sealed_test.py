"""The test part, sealed: it has a size and a digest, and gives its rows only against a line in the ledger."""

import io
from typing import Any, NoReturn

import polars as pl

from modelyard.core import Actor, ConfigError, IntegrityError, StateError, digest_file
from modelyard.store import Ledger, LedgerRow, Workspace

__all__ = ["OPENED", "SealedTest", "openings_of"]

OPENED = "test.opened"
"""The ledger's word for an opening; its subject is the digest of the rows."""


class SealedTest:
    """The rows that nobody may look at before the end.

    Whoever holds one knows how many rows there are and their digest. The rows lie in the object store and are read
    by :meth:`open` alone, after the opening was written to the ledger. It cannot be copied or pickled, so that
    no second way to the rows appears.

    Parameters
    ----------
    digest
        SHA-256 of the stored rows; their name in the object store, and the subject of the ledger's rows.
    size
        Number of rows.
    workspace
        Where the rows and the ledger are.
    content
        Digest of the rows whatever their order and types (see :func:`~modelyard.data.splits.content.rows_digest`), of
        the whole table if it is one of the user's own: other projects of the workspace that seal the same rows are
        known by it. ``""`` for parts sealed before there was one.
    work
        Names a piece of work that may be killed and taken up again, such as a retraining: it opens these rows once, however
        often it begins anew, since nobody has seen what the first look showed. ``""`` for none: each call is an opening.
    """

    __slots__ = ("__workspace", "_content", "_digest", "_size", "_work")

    def __init__(self, digest: str, size: int, workspace: Workspace, content: str = "", work: str = "") -> None:
        self._work = work
        self._content = content
        self._digest = digest
        self._size = size
        self.__workspace = workspace

    @property
    def size(self) -> int:
        """Number of rows."""
        return self._size

    @property
    def digest(self) -> str:
        """SHA-256 of the stored rows."""
        return self._digest

    def openings(self) -> int:
        """How many times these rows have been opened, by the ledger, by whichever project of this workspace."""
        return len(openings_of(self.__workspace.ledger, self._digest, self._content))

    def open(self, reason: str, actor: Actor) -> pl.DataFrame:
        """The rows, once the ledger says who opened them and why.

        The bytes are verified first, so that a damaged part costs no opening; then the ledger's row is committed;
        only then are the rows read.

        Raises
        ------
        ConfigError
            If the reason is empty.
        IntegrityError
            If the stored bytes are not those that were sealed.
        """
        if not reason.strip():
            raise ConfigError(
                "the sealed test part opens only for a reason",
                where="reason",
                got="nothing",
                cure="Say in a few words why it is needed; it will stand on the model card",
            )
        objects = self.__workspace.objects
        path = objects.path(self._digest)
        if digest_file(path) != self._digest:
            raise IntegrityError(
                "the sealed test part is not what was sealed",
                where=str(path),
                got="another digest",
                cure="Restore the file from a backup; a test on changed rows proves nothing",
            )
        if not self._is_open_for_this_work():
            named = {"content": self._content, "work": self._work}
            details = {"reason": reason.strip(), "rows": self._size, **{name: of for name, of in named.items() if of}}
            self.__workspace.ledger.append(actor, OPENED, self._digest, details)
        return pl.read_parquet(io.BytesIO(objects.read(self._digest)))

    def _is_open_for_this_work(self) -> bool:
        """True if the ledger has an opening by the piece of work that goes on now."""
        rows = self.__workspace.ledger.rows(action=OPENED, subject=self._digest) if self._work else ()
        return any(row.details.get("work") == self._work for row in rows)

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return f"SealedTest(size={self._size}, digest={self._digest[:12]!r})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise StateError(
            "a sealed test part is neither copied nor pickled",
            where=repr(self),
            cure="Hand on the split's id, and load it there with load_split",
        )

    def __copy__(self) -> NoReturn:
        self.__reduce_ex__(2)

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        self.__reduce_ex__(2)


def openings_of(ledger: Ledger, digest: str, content: str = "") -> tuple[LedgerRow, ...]:
    """The ledger's rows about openings of sealed rows: of this very object, or of another with the same content."""
    rows = ledger.rows(action=OPENED)
    return tuple(row for row in rows if row.subject == digest or (content and row.details.get("content") == content))
