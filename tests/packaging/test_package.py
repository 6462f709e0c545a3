"""A package on disk: whatever was changed is found, and said."""

import json
import shutil
from pathlib import Path

import pytest

from modelyard.core import IntegrityError, digest_file, digest_json
from modelyard.packaging import MANIFEST_FILE, PROTOCOL, Manifest, Package, load_package


@pytest.fixture
def copy(churn_package: Package, tmp_path: Path) -> Path:
    """A copy of a real package that a test may damage."""
    folder = tmp_path / "copy"
    shutil.copytree(churn_package.folder, folder)
    return folder


def _names(package: Package) -> list[str]:
    return sorted([*package.manifest.files, MANIFEST_FILE])


def test_an_untouched_copy_loads(copy: Path, churn_package: Package) -> None:
    """A package may be moved: nothing in it depends on where it lies."""
    assert load_package(copy).manifest == churn_package.manifest


def test_every_changed_byte_is_found(copy: Path, churn_package: Package) -> None:
    """One bit flipped anywhere in any file, the manifest included, is an integrity error."""
    for name in _names(churn_package):
        path = copy / name
        content = path.read_bytes()
        for place in {0, len(content) // 2, len(content) - 1}:
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            with pytest.raises(IntegrityError):
                load_package(copy)
        path.write_bytes(content)

    assert load_package(copy).manifest == churn_package.manifest


def test_every_missing_file_is_named(copy: Path, churn_package: Package) -> None:
    """Whichever file is gone, the error names it."""
    for name in _names(churn_package):
        content = (copy / name).read_bytes()
        (copy / name).unlink()
        with pytest.raises(IntegrityError, match=name):
            load_package(copy)
        (copy / name).write_bytes(content)


@pytest.mark.parametrize("name", ["extra.py", "model/extra.txt", ".hidden", "__pycache__/x.pyc"])
def test_every_extra_file_is_named(copy: Path, name: str) -> None:
    """A file that was put in is found, wherever it is hidden."""
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_text("surprise")

    with pytest.raises(IntegrityError, match=f"{name} is not in the manifest"):
        load_package(copy)


def test_links_are_refused(copy: Path, tmp_path: Path) -> None:
    """A link with the right bytes behind it is no file of the package: its target may change."""
    target = tmp_path / "plan.json"
    (copy / "plan.json").rename(target)
    (copy / "plan.json").symlink_to(target)

    with pytest.raises(IntegrityError, match=r"plan\.json is no plain file"):
        load_package(copy)


def test_linked_folders_are_refused(copy: Path, tmp_path: Path) -> None:
    """A linked folder is not followed."""
    (copy / "model").rename(tmp_path / "elsewhere")
    (copy / "model").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(IntegrityError, match="model is not in the manifest"):
        load_package(copy)


def test_a_linked_manifest_is_refused(copy: Path, tmp_path: Path) -> None:
    """The manifest itself must be a plain file."""
    (copy / MANIFEST_FILE).rename(tmp_path / "m.json")
    (copy / MANIFEST_FILE).symlink_to(tmp_path / "m.json")

    with pytest.raises(IntegrityError, match="there is no package"):
        load_package(copy)


def test_a_file_and_its_digest_changed_together_are_found(copy: Path) -> None:
    """Who changes a file and writes its new digest into the manifest has changed the manifest's digest."""
    (copy / "plan.json").write_text("{}")
    manifest = json.loads((copy / MANIFEST_FILE).read_text())
    manifest["files"]["plan.json"] = digest_file(copy / "plan.json")
    (copy / MANIFEST_FILE).write_text(json.dumps(manifest))

    with pytest.raises(IntegrityError, match="manifest is not what was packaged"):
        load_package(copy)


def test_a_file_exchanged_after_loading_is_found(copy: Path) -> None:
    """Reading verifies once more."""
    package = load_package(copy)
    (copy / "contract.json").write_text("{}")

    with pytest.raises(IntegrityError, match="not what was packaged"):
        package.read_json("contract.json")


def test_the_digest_names_the_canonical_manifest(churn_package: Package) -> None:
    """The package's digest is that of the canonical manifest without the digest; anybody can compute it."""
    content = json.loads((churn_package.folder / MANIFEST_FILE).read_text())
    digest = content.pop("digest")

    assert digest == digest_json(content) == churn_package.manifest.digest


def _write_manifest(folder: Path, **changes: object) -> None:
    """The manifest with fields exchanged and a right digest."""
    content = json.loads((folder / MANIFEST_FILE).read_text()) | changes
    content.pop("digest")
    (folder / MANIFEST_FILE).write_text(json.dumps({**content, "digest": digest_json(content)}))


def test_a_newer_protocol_asks_for_an_upgrade(copy: Path) -> None:
    """A format from the future is not guessed at."""
    _write_manifest(copy, protocol=PROTOCOL + 1, a_field_of_the_future=True)

    with pytest.raises(IntegrityError, match=f"got protocol {PROTOCOL + 1}. Upgrade modelyard"):
        load_package(copy)


@pytest.mark.parametrize("protocol", [0, -1, None, "1", 1.5, True])
def test_a_nonsensical_protocol_is_refused(copy: Path, protocol: object) -> None:
    """The protocol is a whole number from 1 on."""
    _write_manifest(copy, protocol=protocol)

    with pytest.raises(IntegrityError, match="names no protocol"):
        load_package(copy)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"protocol": 1}', '{"protocol": 1, "files": 3}'])
def test_a_broken_manifest_is_refused(copy: Path, text: str) -> None:
    """Half a manifest, or none, is an integrity error."""
    (copy / MANIFEST_FILE).write_text(text)

    with pytest.raises(IntegrityError):
        load_package(copy)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "model/nothing"])
def test_only_files_of_the_manifest_can_be_read(churn_package: Package, name: str) -> None:
    """A package gives what the manifest names, and nothing else."""
    with pytest.raises(IntegrityError, match="lacks a file"):
        churn_package.read(name)


def test_no_folder_is_no_package(tmp_path: Path) -> None:
    """A path without a manifest says so."""
    with pytest.raises(IntegrityError, match="there is no package"):
        load_package(tmp_path / "nothing")


def test_a_manifest_survives_json(churn_package: Package) -> None:
    """Reading what was written gives the same record."""
    again = Manifest.from_dict(churn_package.manifest.to_dict())

    assert again == churn_package.manifest
    assert again.expected_digest() == again.digest
