"""Docker, Podman or Buildah, whichever is there and able: building an image, and running it once."""

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from modelyard.core import ConfigError, GateRefusedError, ModelyardError, StateError
from modelyard.shipping.rehearsal import Rehearsal

__all__ = ["BUILDERS", "Builder", "find_builder"]

BUILDERS = ("docker", "podman", "buildah")
"""In the order in which they are tried."""

_TRY_S = 30
_BUILD_S = 3_600
_RUN_S = 600
_STANDARD_ERROR = 2


@dataclasses.dataclass(frozen=True)
class Builder:
    """A program that builds images.

    Parameters
    ----------
    name
        One of :data:`BUILDERS`.
    """

    name: str

    def why_not(self) -> str:
        """Why it cannot build here; empty if it can."""
        if shutil.which(self.name) is None:
            return "not installed"
        try:
            done = subprocess.run(self._command("info"), capture_output=True, text=True, timeout=_TRY_S, check=False)  # noqa: S603 - one of three names
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        return "" if done.returncode == 0 else _last_line(done.stderr or done.stdout)

    def build_command(self, context: Path, tag: str) -> list[str]:
        """The words of a build; the health check is a part of Docker's image format only."""
        words = self._command("build", "--file", str(context / "Containerfile"), "--tag", tag)
        return [*words, *([] if self.name == "docker" else ["--format", "docker"]), str(context)]

    def build(self, context: Path, tag: str) -> None:
        """Build an image; what the builder says goes to standard error.

        Raises
        ------
        GateRefusedError
            If it fails, which includes a rehearsal that fails during the build.
        """
        try:
            done = subprocess.run(  # noqa: S603 - words of our own
                self.build_command(context, tag), stdout=_STANDARD_ERROR, timeout=_BUILD_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise _failed(self.name, f"no image within {_BUILD_S} s") from error
        if done.returncode:
            raise _failed(self.name, f"exit code {done.returncode}; its own words stand above")

    def rehearse(self, tag: str, digest: str) -> Rehearsal:
        """Run the image once: a server in it, read-only where the builder can, asked every golden row.

        Raises
        ------
        GateRefusedError
            If the rehearsal fails.
        """
        words = ["python", "-m", "modelyard.shipping", "/model", "--digest", digest]
        if self.name == "buildah":
            container = self._said("from", "--pull-never", tag)
            try:
                report = self._said("run", container, "--", *words)
            finally:
                self._said("rm", container)
        else:
            kept = [
                "--rm",
                "--read-only",
                "--network=none",
                "--tmpfs=/tmp",
                "--cap-drop=ALL",
                f"--entrypoint={words[0]}",
            ]
            report = self._said("run", *kept, tag, *words[1:])
        return Rehearsal.from_dict(json.loads(report.splitlines()[-1]))

    def identity(self, tag: str) -> tuple[str, str]:
        """The image's id and its size in words."""
        found = self._said("images", "--no-trunc", "--format", "{{.ID}} {{.Size}}", tag)
        identifier, _, size = found.partition(" ")
        return identifier, size

    def _command(self, *words: str) -> list[str]:
        return [self.name, *words]

    def _said(self, *words: str) -> str:
        """What the builder prints when it does something small."""
        try:
            done = subprocess.run(self._command(*words), capture_output=True, text=True, timeout=_RUN_S, check=False)  # noqa: S603 - words of our own
        except subprocess.TimeoutExpired as error:
            raise _failed(f"{self.name} {words[0]}", f"no end within {_RUN_S} s") from error
        if done.returncode:
            raise _failed(f"{self.name} {words[0]}", _last_line(done.stderr or done.stdout))
        return done.stdout.strip()


def find_builder(name: str | None = None) -> Builder:
    """The builder of that name, or the first of :data:`BUILDERS` that can build here.

    Raises
    ------
    ConfigError
        If the name is none of them.
    StateError
        If it, or none of them, can build here; each is named with its reason.
    """
    if name is not None and name not in BUILDERS:
        raise ConfigError("there is no such builder", where="--builder", got=repr(name), cure=_choices(BUILDERS))
    reasons = {}
    for candidate in BUILDERS if name is None else (name,):
        builder = Builder(candidate)
        reasons[candidate] = builder.why_not()
        if not reasons[candidate]:
            return builder
    raise StateError(
        "no image can be built here",
        where="modelyard image",
        got="; ".join(f"{candidate}: {reason}" for candidate, reason in reasons.items()),
        cure="Install or start one of them, or give --no-build and build the folder elsewhere",
    )


def _choices(names: Sequence[str]) -> str:
    return f"Choose one of: {', '.join(names)}"


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1][:300]


def _failed(where: str, got: str) -> ModelyardError:
    return GateRefusedError(
        "the image was not made, or does not answer as training did",
        where=where,
        got=got,
        cure="The build context is complete; correct the cause and run the command again",
    )
