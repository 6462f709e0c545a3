from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import IntegrityError, ModelyardError, StateError, digest_bytes
from modelyard.store import ObjectStore


@settings(max_examples=20, deadline=None)
@given(content=st.binary(max_size=2000))
def test_what_is_put_is_read(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Property: bytes come back as they went in, under their SHA-256, in a read-only file."""
    store = ObjectStore(tmp_path_factory.mktemp("objects"))
    digest = store.put_bytes(content)

    assert digest == digest_bytes(content)
    assert store.read(digest) == content
    assert store.path(digest).stat().st_mode & 0o777 == 0o444


def test_the_same_content_is_stored_once(tmp_path: Path) -> None:
    """Putting twice, as bytes and as a file, leaves one untouched file."""
    store = ObjectStore(tmp_path / "objects")
    (tmp_path / "source").write_bytes(b"content")
    digest = store.put_bytes(b"content")
    before = store.path(digest).stat()

    assert store.put_file(tmp_path / "source") == digest
    assert store.path(digest).stat().st_ino == before.st_ino
    assert [path.name for path in (tmp_path / "objects").rglob("*") if path.is_file()] == [digest[2:]]


def test_changed_bytes_are_found_and_healed_by_the_same_content(tmp_path: Path) -> None:
    """A changed object is never handed out; putting its content again makes it whole."""
    store = ObjectStore(tmp_path)
    digest = store.put_bytes(b"content")
    store.path(digest).chmod(0o644)
    store.path(digest).write_bytes(b"Content")
    with pytest.raises(IntegrityError, match="not what was stored"):
        store.read(digest)
    store.put_bytes(b"content")

    assert store.read(digest) == b"content"


@pytest.mark.parametrize("digest", ["0" * 64, "", "ab", "../../etc/passwd", "AB" * 32])
def test_an_unknown_digest_is_a_clear_error(tmp_path: Path, digest: str) -> None:
    """There is no such object, also for what is no digest."""
    store = ObjectStore(tmp_path)
    store.put_bytes(b"content")
    with pytest.raises(StateError, match="no object of this digest"):
        store.read(digest)


def test_unreadable_sources_and_places_are_clear_errors(tmp_path: Path) -> None:
    """A missing file, a folder, and a store whose place is taken by a file are errors of ours."""
    (tmp_path / "taken").write_text("x", encoding="utf-8")
    puts: tuple[Callable[[], str], ...] = (
        lambda: ObjectStore(tmp_path / "o").put_file(tmp_path / "missing"),
        lambda: ObjectStore(tmp_path / "o").put_file(tmp_path),
        lambda: ObjectStore(tmp_path / "taken").put_bytes(b"x"),
    )
    for put in puts:
        with pytest.raises(ModelyardError) as caught:
            put()

        assert caught.value.cure
