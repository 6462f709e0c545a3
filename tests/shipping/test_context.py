import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from modelyard.core import ConfigError, IntegrityError, StateError, digest_file
from modelyard.packaging import Package, load_package
from modelyard.shipping import Context, Pin, Wish, make_image
from modelyard.shipping.context import CONTEXT_FILE
from modelyard.shipping.wheel import WHEEL_NAME, write_wheel

PINS = (Pin("numpy", "2.4.6"), Pin("polars", "2.1.0"))


def write(package: Package, folder: Path, **wish: object) -> Context:
    """A build context, not built."""
    return make_image(package, Wish(folder=folder, build=False, **wish)).context  # type: ignore[arg-type]


def test_a_context_holds_the_package_and_says_what_it_holds(package: Package, tmp_path: Path) -> None:
    """The package lies in it byte for byte, and the record names every file with its digest."""
    context = write(package, tmp_path / "context")
    written = {
        path.relative_to(tmp_path / "context").as_posix(): digest_file(path)
        for path in (tmp_path / "context").rglob("*")
        if path.is_file() and path.name != CONTEXT_FILE
    }

    assert load_package(tmp_path / "context" / "model").manifest == package.manifest
    assert context.files == written
    assert context.package_digest == package.manifest.digest
    assert {"Containerfile", "requirements.txt", WHEEL_NAME} <= set(written)
    assert (tmp_path / "context" / "requirements.txt").read_text().split() == list(context.requirements)


def test_a_context_is_written_anew_but_nothing_else_is_overwritten(package: Package, tmp_path: Path) -> None:
    """A second call replaces the first one's folder; a folder of somebody else is refused and stays."""
    first = write(package, tmp_path / "context")
    (tmp_path / "context" / "left over").touch()
    second = write(package, tmp_path / "context")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").touch()

    assert first == second
    assert not (tmp_path / "context" / "left over").exists()
    with pytest.raises(StateError, match="modelyard did not write it"):
        write(package, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter"]


def test_a_package_that_was_tampered_with_is_not_shipped(own_package: Package, tmp_path: Path) -> None:
    """A changed byte is found in the copy, and no context appears."""
    with (own_package.folder / "model" / "lightgbm.txt").open("a") as stream:
        stream.write("\n")

    with pytest.raises(IntegrityError, match=r"model/lightgbm\.txt has changed"):
        write(own_package, tmp_path / "context")
    assert not (tmp_path / "context").exists()


def test_wheels_are_named_by_their_digests(package: Package, tmp_path: Path) -> None:
    """With a folder of wheels the build reaches no registry, and pip checks each wheel; one that is missing is named."""
    (tmp_path / "wheels").mkdir()
    for line in write(package, tmp_path / "context").requirements:
        name, _, version = line.partition("==")
        (tmp_path / "wheels" / f"{name.replace('-', '_')}-{version}-py3-none-any.whl").write_text(name)
    write(package, tmp_path / "with wheels", wheels=tmp_path / "wheels")
    lines = (tmp_path / "with wheels" / "requirements.txt").read_text().splitlines()
    next((tmp_path / "wheels").glob("uvloop-*")).unlink()

    assert f"--hash=sha256:{hashlib.sha256(b'polars').hexdigest()}" in next(
        x for x in lines if x.startswith("polars==")
    )
    assert all("--hash=sha256:" in line for line in lines)
    assert len(list((tmp_path / "with wheels" / "wheels").iterdir())) == len(lines)
    assert "--require-hashes" in (tmp_path / "with wheels" / "Containerfile").read_text()
    with pytest.raises(ConfigError, match="no wheel of uvloop=="):
        write(package, tmp_path / "with wheels", wheels=tmp_path / "wheels")


def test_our_own_wheel_is_whole_and_reproducible(tmp_path: Path) -> None:
    """Two wheels of the same files are equal byte for byte, the record's digests hold, and it declares the pins only."""
    (tmp_path / "again").mkdir()
    path, again = write_wheel(tmp_path, PINS), write_wheel(tmp_path / "again", PINS)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        metadata = archive.read("modelyard-0.1.0.dist-info/METADATA").decode()

    assert path.read_bytes() == again.read_bytes()
    assert [line for line in metadata.splitlines() if "Requires-Dist" in line] == [
        "Requires-Dist: numpy==2.4.6",
        "Requires-Dist: polars==2.1.0",
    ]
    assert {"modelyard/serving/server.py", "modelyard/py.typed", "modelyard-0.1.0.dist-info/licenses/LICENSE"} <= set(
        names
    )
    assert not any("__pycache__" in name for name in names)


@pytest.mark.slow
def test_pip_installs_our_own_wheel(tmp_path: Path) -> None:
    """Pip accepts the wheel, checks its record, and what it installs is importable."""
    path = write_wheel(tmp_path, ())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile"]
    subprocess.run([*pip, "--target", str(tmp_path / "there"), str(path)], check=True, timeout=120)
    code = "import modelyard; print(modelyard.__file__)"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "there",
        env={},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert result.stdout.strip() == str(tmp_path / "there" / "modelyard" / "__init__.py")
