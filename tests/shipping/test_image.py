import json
import os
import re
from pathlib import Path

import pytest

from modelyard.core import ConfigError, GateRefusedError, IntegrityError, StateError
from modelyard.packaging import Package
from modelyard.shipping import Builder, Wish, find_builder, make_image
from modelyard.shipping.containerfile import server_recipe
from modelyard.shipping.rehearsal import rehearse


def instructions(text: str) -> list[tuple[str, str]]:
    """(instruction, rest) of a Containerfile, continued lines joined."""
    joined = text.replace("\\\n", " ")
    return [
        (word, rest.strip())
        for line in joined.splitlines()
        if line and not line.startswith("#")
        for word, _, rest in [line.partition(" ")]
    ]


def test_the_containerfile_keeps_what_it_promises(package: Package) -> None:
    """A numeric user that is not root, health without curl, exec forms, keys by default, the package's digest in it."""
    steps = instructions(server_recipe("python:3.11-slim", has_wheels=False).text(package.manifest, "our.whl"))
    named = dict(steps)
    last = steps[[word for word, _ in steps].index("USER") :]

    assert [rest for word, rest in steps if word == "FROM"] == ["${BASE} AS packages", "${BASE}"]
    assert named["ARG"] == "BASE=python:3.11-slim"
    assert named["USER"] == "10001:10001"
    assert json.loads(named["CMD"]) == ["--keys", "/keys/keys.json"]
    assert json.loads(named["ENTRYPOINT"])[:3] == ["python", "-m", "modelyard.serving"]
    assert json.loads(named["HEALTHCHECK"].partition("CMD ")[2])[:2] == ["python", "-c"]
    assert f'modelyard.package.digest="{package.manifest.digest}"' in named["LABEL"]
    assert named["VOLUME"] == '["/log"]'
    assert (
        "RUN",
        json.dumps(["python", "-m", "modelyard.shipping", "/model", "--digest", package.manifest.digest]),
    ) in last
    assert not re.search(r"\b(curl|gcc|build-essential)\b", str(steps))


def test_text_in_labels_is_not_read_as_instructions(package: Package) -> None:
    """Names with quotes, dollars and line breaks stay one value."""
    manifest = type(package.manifest).from_dict({**package.manifest.to_dict(), "author": 'Eve "x"\nRUN $HOME\\'})
    text = server_recipe("base", has_wheels=False).text(manifest, "our.whl")

    assert r'org.opencontainers.image.authors="Eve \"x\" RUN \$HOME\\"' in text
    assert "\nRUN $HOME" not in text


@pytest.mark.parametrize("name", ["", "--privileged", "a b", "a\nRUN rm -rf /"])
def test_a_name_that_is_none_is_refused(package: Package, name: str, tmp_path: Path) -> None:
    """Names of images go into a file and a command line; nothing is written for one that is none."""
    with pytest.raises(ConfigError, match="no name of an image"):
        make_image(package, Wish(tmp_path / "context", tag=name or " ", build=False))
    with pytest.raises(ConfigError, match="no name of an image"):
        make_image(package, Wish(tmp_path / "context", base=name or " ", build=False))
    assert not (tmp_path / "context").exists()


def test_without_a_builder_nothing_is_written(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each builder is named with its reason: not there, or there and unable, as a client without its daemon is."""
    (tmp_path / "bin").mkdir()
    client = tmp_path / "bin" / "docker"
    client.write_text("#!/bin/sh\necho Cannot connect to the daemon >&2\nexit 1\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    with pytest.raises(StateError) as refused:
        make_image(package, Wish(tmp_path / "context"))
    assert refused.value.got == ("docker: Cannot connect to the daemon; podman: not installed; buildah: not installed")
    assert "--no-build" in refused.value.cure
    assert not (tmp_path / "context").exists()


def test_the_first_builder_that_is_able_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A docker that cannot be reached does not stand in the way of a buildah that can; an unknown one is refused."""
    (tmp_path / "bin").mkdir()
    for name, code in (("docker", 1), ("buildah", 0)):
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\nexit {code}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    assert find_builder() == Builder("buildah")
    with pytest.raises(StateError, match="docker: no message"):
        find_builder("docker")
    with pytest.raises(ConfigError, match="Choose one of: docker, podman, buildah"):
        find_builder("kaniko")


def test_a_build_that_fails_is_refused(package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A builder that says no ends in one sentence; the context stays, to be looked at."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "podman"
    program.write_text('#!/bin/sh\n[ "$1" = info ] || exit 125\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin:/bin")

    with pytest.raises(GateRefusedError, match=r"podman: the image was not made.*exit code 125"):
        make_image(package, Wish(tmp_path / "context", builder="podman"))
    assert (tmp_path / "context" / "Containerfile").exists()


def test_the_words_of_a_build() -> None:
    """Buildah and Podman are asked for Docker's format, which alone has a health check."""
    context = Path("there")

    assert Builder("docker").build_command(context, "churn:3") == [
        *("docker", "build", "--file", "there/Containerfile", "--tag", "churn:3", "there")
    ]
    assert Builder("buildah").build_command(context, "churn:3") == [
        *("buildah", "build", "--file", "there/Containerfile", "--tag", "churn:3", "--format", "docker", "there")
    ]


def test_a_rehearsal_asks_every_golden_row_over_http(package: Package) -> None:
    """A real server answers them as training did, and stops when it is told to."""
    report = rehearse(package.folder, package.manifest.digest)
    rows = len(package.read_json("golden.json")["rows"])

    assert report.answered + report.refused == rows
    assert report.answered > rows / 2
    assert report.max_abs_difference <= 1e-9
    assert report.exit_code in (0, -15)
    assert report.user == os.getuid()
    assert report.smoke == ("names its package", "replays its golden rows when asked", "refuses what is no row")
    assert "refuses what is no row" in report.sentence


def test_a_rehearsal_refuses_another_package(package: Package) -> None:
    """The digest that was shipped must be the one that is there."""
    with pytest.raises(IntegrityError, match="another package than the one that was to be shipped"):
        rehearse(package.folder, "0" * 64)
