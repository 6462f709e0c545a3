"""The text of a Containerfile: what docker, podman and buildah build an image from."""

import dataclasses
import json
import sys
from collections.abc import Mapping

from modelyard.core import ConfigError
from modelyard.packaging import Manifest
from modelyard.version import __version__

__all__ = ["PORT", "USER", "Recipe", "default_base", "labels", "require_image_name", "server_recipe"]

PORT = 8080
USER = "10001:10001"
"""A number, not a name, so that Kubernetes can see that it is not root."""

_HEALTH = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{PORT}/health/ready', timeout=2)"
_LIBGOMP = "libgomp.so.1"


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How an image differs from the next one.

    Parameters
    ----------
    base
        Image to build on: Python in the version of the pins, on a glibc Linux.
    files
        Files of the context that go beside ``/model``.
    has_wheels
        True if the context holds every wheel, so that the build reaches no registry.
    last_steps
        Instructions at the end: volumes, ports, health check, entry point.
    """

    base: str
    files: tuple[str, ...] = ()
    has_wheels: bool = False
    last_steps: tuple[str, ...] = ()

    def text(self, manifest: Manifest, wheel: str) -> str:
        """The whole Containerfile.

        Two stages: pip and what it leaves behind stay in the first. The model is inside, owned by root and writable by
        nobody; the build ends with the rehearsal, as the user that will serve.
        """
        steps = [
            f"# Written by modelyard {__version__} for package {manifest.digest}. Build it with docker, podman or buildah.",
            f"ARG BASE={self.base}",
            "",
            "FROM ${BASE} AS packages",
            "WORKDIR /build",
            "COPY . .",
            _install(wheel, has_wheels=self.has_wheels),
            "",
            "FROM ${BASE}",
            _libgomp(),
            "COPY --from=packages /opt/venv /opt/venv",
            "COPY model /model",
            *(f"COPY {name} /{name}" for name in self.files),
            f"RUN mkdir -p /log && chown {USER} /log",
            "ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1",
            "WORKDIR /",
            f"USER {USER}",
            f'RUN ["python", "-m", "modelyard.shipping", "/model", "--digest", "{manifest.digest}"]',
            _label_step(labels(manifest)),
            *self.last_steps,
        ]
        return "\n".join([*steps, ""])


def server_recipe(base: str, *, has_wheels: bool) -> Recipe:
    """The recipe of an image that serves over HTTP.

    Callers need keys: the server reads ``/keys/keys.json``, which is mounted, and refuses to start without it; ``--open``
    in its place lets everybody ask.
    """
    serve = ["python", "-m", "modelyard.serving", "--package", "/model", "--log", "/log"]
    serve += ["--host", "0.0.0.0", "--port", str(PORT)]  # noqa: S104 - within the container
    steps = (
        'VOLUME ["/log"]',
        f"EXPOSE {PORT}",
        "STOPSIGNAL SIGTERM",
        f"HEALTHCHECK --interval=30s --timeout=3s --start-period=20s CMD {json.dumps(['python', '-c', _HEALTH])}",
        f"ENTRYPOINT {json.dumps(serve)}",
        'CMD ["--keys", "/keys/keys.json"]',
    )
    return Recipe(base, has_wheels=has_wheels, last_steps=steps)


def default_base() -> str:
    """The slim image of the Python that runs here: pins and wheels are of its version.

    >>> default_base().startswith("python:3.")
    True
    """
    return f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"


def labels(manifest: Manifest) -> dict[str, str]:
    """What an image says about itself (OCI image specification 1.1, annotations), with the digest of the package."""
    return {
        "org.opencontainers.image.title": manifest.name,
        "org.opencontainers.image.version": manifest.version,
        "org.opencontainers.image.created": manifest.created_at.isoformat(),
        "org.opencontainers.image.revision": manifest.code_commit,
        "org.opencontainers.image.authors": manifest.author,
        "modelyard.package.digest": manifest.digest,
        "modelyard.package.protocol": str(manifest.protocol),
        "modelyard.version": __version__,
    }


def require_image_name(name: str, option: str) -> str:
    """The name of an image, if it is one: it goes into a file and a command line.

    Raises
    ------
    ConfigError
        If it is empty, begins with a dash, or holds white space or a control character.
    """
    if name and not name.startswith("-") and name.isprintable() and not any(map(str.isspace, name)):
        return name
    raise ConfigError(
        "this is no name of an image",
        where=option,
        got=repr(name),
        cure="Give one such as registry.example.org/churn:3",
    )


def _install(wheel: str, *, has_wheels: bool) -> str:
    """The step that installs what is pinned, and nothing else, then removes the installer, tests and headers; nothing is compiled."""
    source = " --no-index --find-links wheels --require-hashes" if has_wheels else ""
    pip = "/opt/venv/bin/python -m pip"
    return " \\\n && ".join(
        (
            "RUN python3 -m venv /opt/venv",
            f"{pip} install --no-cache-dir --no-deps --only-binary=:all:{source} -r requirements.txt",
            f"{pip} install --no-cache-dir --no-deps --no-index ./{wheel}",
            f"{pip} uninstall --yes pip setuptools",
            "find /opt/venv -path '*/modelyard' -prune -o -type d \\( -name tests -o -name include \\) -prune -exec rm -rf {} +",
        )
    )


def _libgomp() -> str:
    """The step that sees to the OpenMP runtime, which LightGBM and XGBoost take from the system."""
    there = f"python3 -c 'import ctypes; ctypes.CDLL(\"{_LIBGOMP}\")' 2>/dev/null"
    fetch = "apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*"
    return f"RUN {there} \\\n || ({fetch})"


def _label_step(named: Mapping[str, str]) -> str:
    return "LABEL " + " \\\n      ".join(f"{name}={_quoted(value)}" for name, value in named.items() if value)


def _quoted(value: str) -> str:
    """A value that the builder neither splits nor fills in."""
    text = " ".join(value.split()).replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{text}"'
