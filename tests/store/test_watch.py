"""A watch sees each commit once, whoever makes it, and nothing else."""

import threading
from pathlib import Path

from modelyard.core import Actor
from modelyard.core.actor import ActorSource
from modelyard.store import Workspace
from modelyard.store.watch import Watch

ADA = Actor("ada", ActorSource.OS_USER, ("admin",))


def test_each_commit_is_seen_once(tmp_path: Path) -> None:
    """The first look says yes; later ones only after a row was added, from this thread or another."""
    ledger = Workspace(tmp_path).ledger
    watch = ledger.watch()
    looks = [watch.has_changed(), watch.has_changed()]
    ledger.append(ADA, "something.happened", "a")
    looks += [watch.has_changed(), watch.has_changed()]
    other = threading.Thread(target=ledger.append, args=(ADA, "something.happened", "b"))
    other.start()
    other.join()
    looks += [watch.has_changed(), watch.has_changed()]
    ledger.rows()

    assert looks == [True, False, True, False, True, False]
    assert not watch.has_changed()


def test_without_a_file_the_length_is_asked() -> None:
    """A server's ledger has changed when it has become longer."""
    lengths = iter([3, 3, 4])
    watch = Watch(None, lambda: next(lengths))

    assert [watch.has_changed() for _ in range(3)] == [True, False, True]
