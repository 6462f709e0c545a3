"""Databases of a real PostgreSQL for tests of the shared store, and a wire between client and server that can be cut."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import sqlalchemy as sa
from tests.data_room.servers import PASSWORD, postgres_cluster

__all__ = ["Wire", "databases", "rows_of", "run"]


@contextlib.contextmanager
def databases() -> Iterator[Callable[[], str]]:
    """A cluster, and a function that makes one more empty database in it and gives its whole address."""
    with postgres_cluster() as address:
        whole = address.replace("${YARD_PASSWORD}", PASSWORD)
        numbers = itertools.count(1)

        def make() -> str:
            name = f"store_{next(numbers)}"
            run(whole, f"CREATE DATABASE {name}")
            return f"{whole.removesuffix('/postgres')}/{name}"

        yield make


def run(address: str, *statements: str) -> None:
    """Execute statements, each committed at once, as whoever owns the database may."""
    engine = sa.create_engine(address, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def rows_of(address: str, query: str) -> list[tuple[object, ...]]:
    """What a query gives."""
    engine = sa.create_engine(address, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


class Wire:
    """Carries bytes between a client and the server of ``address``; :attr:`address` leads through it.

    Parameters
    ----------
    address
        Of the database behind it.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._server = (parts.hostname or "", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.address = address.replace(f"127.0.0.1:{parts.port}", f"127.0.0.1:{port}")
        self.cut_at: bytes | None = None
        self.is_delivered = True
        self._sockets: list[socket.socket] = [self._listener]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def cut(self, at: bytes, *, is_delivered: bool) -> None:
        """Break the next connection that carries ``at``, after or before the server has got it."""
        self.cut_at, self.is_delivered = at, is_delivered

    def close(self) -> None:
        """Accept nobody any more, and drop whoever is connected."""
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in self._sockets:
            one.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                self._start(self._carry, client, server, True)
                self._start(self._carry, server, client, False)

    def _carry(self, source: socket.socket, target: socket.socket, is_from_client: bool) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                if is_from_client and self.cut_at is not None and self.cut_at in content:
                    self.cut_at = None
                    if self.is_delivered:
                        target.sendall(content)
                    source.shutdown(socket.SHUT_RDWR)
                    break
                target.sendall(content)
        # What the server was sent before the cut is still carried out: it reads to the end, then sees that nobody is there.
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
