"""An image is really built, by Buildah without a daemon and on a base that no registry gave, and its server is asked."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.data_room.servers import free_port

from modelyard.packaging import GoldenSet, Package
from modelyard.serving import read_predictions
from modelyard.shipping import ImageReport, Wish, make_bundle, make_image

PREPARED = Path(__file__).parents[2] / ".venv" / "image"
BASE = "localhost/debian-python:3"
LAMBDA = "churn-lambda:1"
USER = 10001
LIMIT_S = 120

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def buildah(*words: str) -> str:
    """What Buildah prints."""
    return subprocess.run(["buildah", *words], check=True, capture_output=True, text=True, timeout=600).stdout.strip()


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A storage of images of its own; nobody's images are seen or touched."""
    if not (PREPARED / "base").is_dir():
        pytest.fail("there is no base image: make .venv/.image")
    folder = tmp_path_factory.mktemp("storage")
    conf = folder / "storage.conf"
    conf.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_STORAGE_CONF", str(conf))
        patch.setenv("BUILDAH_ISOLATION", "chroot")
        container = buildah("from", "scratch")
        buildah("add", "--quiet", container, str(PREPARED / "base"), "/")
        buildah("config", "--env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", container)
        buildah("commit", "--quiet", container, BASE)
        buildah("rm", container)
        yield folder
        buildah("rm", "--all")
        buildah("rmi", "--all", "--force")


@pytest.fixture(scope="module")
def image(package: Package, storage: Path) -> ImageReport:
    """The image of the package, built and rehearsed."""
    wish = Wish(storage / "context", BASE, "buildah", "telco-churn:1", PREPARED / "wheels")
    return make_image(package, wish)


@contextlib.contextmanager
def a_container(tag: str) -> Iterator[str]:
    """A container of an image, gone when the block ends."""
    container = buildah("from", "--pull-never", tag)
    try:
        yield container
    finally:
        buildah("rm", container)


@contextlib.contextmanager
def served(command: list[str], port: int) -> Iterator["subprocess.Popen[str]"]:
    """A server that was started by a command and answers on a port of this machine."""
    with started(command) as process:
        wait_until_ready(process, port)
        yield process


@contextlib.contextmanager
def started(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    """A command that runs while the block does; it and all that it started are ended."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        for pid in reversed(family(process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=LIMIT_S)


def wait_until_ready(process: "subprocess.Popen[str]", port: int) -> None:
    """Wait for readiness, or fail with what was printed."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == httpx.codes.OK:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"the server is not ready: {process.communicate()[0]}")
        time.sleep(0.1)


def family(pid: int) -> list[int]:
    """A process and all that came from it, parents first."""
    found = [pid]
    for parent in found:
        for thread in Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, thread.read_text().split())
    return found


def server_of(pid: int) -> int:
    """The serving process among those that a command started."""
    (found,) = [one for one in family(pid) if is_server(Path(f"/proc/{one}/cmdline").read_bytes())]
    return found


def is_server(words: bytes) -> bool:
    """True for the command line of the interpreter itself, not of the programs that started it."""
    return Path(words.split(b"\0")[0].decode()).name.startswith("python") and b"modelyard.serving" in words


def config_of(tag: str) -> dict[str, Any]:
    """The image's configuration in Docker's format."""
    config: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", tag))["Docker"]["config"]
    return config


def test_the_image_was_rehearsed_and_says_what_it_is(image: ImageReport, package: Package) -> None:
    """It answered all golden rows as somebody who is not root, and carries digest, health check and entry point."""
    config = config_of(image.tag)
    rehearsal = image.rehearsal

    assert rehearsal is not None
    assert (rehearsal.user, rehearsal.digest) == (USER, package.manifest.digest)
    assert rehearsal.max_abs_difference <= 1e-9
    assert rehearsal.answered > 0
    assert (image.builder, len(image.image_id)) == ("buildah", len("sha256:") + 64)
    assert config["User"] == f"{USER}:{USER}"
    assert config["Labels"]["modelyard.package.digest"] == package.manifest.digest
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert config["Volumes"] == {"/log": {}}


def test_nothing_of_the_tools_is_left_in_the_image(image: ImageReport) -> None:
    """No installer, no compiler, no training library; and nothing that the serving user could write to."""
    code = """
import importlib.util, os, shutil
names = ("pip", "setuptools", "sklearn", "pandas", "scipy", "optuna", "mlflow", "typer")
print([name for name in names if importlib.util.find_spec(name)])
print([name for name in ("gcc", "cc", "make") if shutil.which(name)])
print([place for place in ("/", "/model", "/model/model", "/opt/venv", "/etc", "/usr") if os.access(place, os.W_OK)])
print(os.access("/log", os.W_OK), os.getuid())
"""
    with a_container(image.tag) as container:
        said = buildah("run", container, "--", "python", "-c", code)

    assert said.splitlines() == ["[]", "[]", "[]", f"True {USER}"]


def test_without_keys_the_image_refuses_to_serve(image: ImageReport) -> None:
    """The image as it is asks for a file of keys; nobody runs an open server by accident."""
    config = config_of(image.tag)
    with a_container(image.tag) as container:
        command = ["buildah", "run", container, "--", *config["Entrypoint"], *config["Cmd"]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)

    assert done.returncode != 0
    assert "/keys/keys.json: the file of keys cannot be read" in done.stderr


def test_the_server_in_the_image_answers_and_drains(image: ImageReport, golden: GoldenSet, tmp_path: Path) -> None:
    """Started as the image says: golden rows over HTTP, the health check's own command, and SIGTERM ends it politely."""
    config, port, log = config_of(image.tag), free_port(), tmp_path / "log"
    log.mkdir()
    os.chown(log, USER, USER)
    # Buildah lays the image's own volume over what is mounted at /log; docker, podman and Kubernetes do not.
    entry = [*config["Entrypoint"], "--open", "--port", str(port), "--log", "/kept"]
    health = [word.replace(":8080/", f":{port}/") for word in config["Healthcheck"]["Test"][1:]]
    with a_container(image.tag) as container:
        command = ["buildah", "run", "--volume", f"{log}:/kept", container, "--", *entry]
        with served(command, port) as process:
            server = server_of(process.pid)
            owner = Path(f"/proc/{server}").stat().st_uid
            answers = [httpx.post(f"http://127.0.0.1:{port}/predict", json=row.features) for row in golden.rows]
            healthy = subprocess.run(["buildah", "run", container, "--", *health], check=False, timeout=LIMIT_S)
            os.kill(server, signal.SIGTERM)
            process.wait(LIMIT_S)
        sick = subprocess.run(
            ["buildah", "run", container, "--", *health], check=False, timeout=LIMIT_S, capture_output=True
        )
    scores = [answer.json()["score"] for answer in answers]

    assert owner == USER
    assert scores == pytest.approx([row.expected[0] for row in golden.rows], abs=1e-9)
    assert (healthy.returncode, sick.returncode) == (0, 1)
    assert read_predictions(log)["id"].to_list() == [answer.json()["id"] for answer in answers]


def test_the_server_works_on_a_read_only_root(image: ImageReport, golden: GoldenSet, tmp_path: Path) -> None:
    """With the image's files mounted read-only, and only the log and the temporary folder writable, it answers."""
    port, log = free_port(), tmp_path / "log"
    log.mkdir()
    os.chown(log, USER, USER)
    words = [*config_of(image.tag)["Entrypoint"], "--open", "--port", str(port)]
    with a_container(image.tag) as container, read_only(Path(buildah("mount", container)), tmp_path, log) as root:
        written = subprocess.run(["touch", str(root / "model" / "x")], check=False, capture_output=True, text=True)
        inside = ["env", "-i", "PATH=/opt/venv/bin:/usr/bin:/bin", *words]
        with served(["chroot", f"--userspec={USER}:{USER}", str(root), *inside], port):
            answer = httpx.post(f"http://127.0.0.1:{port}/predict", json=golden.rows[0].features).json()

    assert "Read-only file system" in written.stderr
    assert answer["score"] == pytest.approx(golden.rows[0].expected[0], abs=1e-9)
    assert read_predictions(log)["id"].to_list() == [answer["id"]]


@contextlib.contextmanager
def read_only(files: Path, folder: Path, log: Path) -> Iterator[Path]:
    """The files of a container at another place, read-only but for the log and a small temporary folder."""
    root = folder / "root"
    root.mkdir()
    mounts = [
        ["--bind", str(files), str(root)],
        ["-o", "remount,bind,ro", str(root)],
        ["--bind", str(log), str(root / "log")],
        ["-t", "tmpfs", "-o", "size=16m,mode=1777", "tmpfs", str(root / "tmp")],
        ["--bind", "/dev", str(root / "dev")],
    ]
    made: list[str] = []
    try:
        for words in mounts:
            subprocess.run(["mount", *words], check=True, capture_output=True)
            made += [] if "remount,bind,ro" in words else [words[-1]]
        yield root
    finally:
        for place in reversed(made):
            subprocess.run(["umount", "--lazy", place], check=False)


def test_the_bundle_for_lambda_builds_and_answers(
    package: Package, golden: GoldenSet, storage: Path, runtime_api: Any
) -> None:
    """Its image ends with the same rehearsal; the platform's client in it takes an event and posts the answer."""
    folder, row = storage / "lambda", golden.rows[0]
    make_bundle(package, "lambda", folder, base=BASE, wheels=PREPARED / "wheels")
    buildah("build", "--format", "docker", "--file", str(folder / "Containerfile"), "--tag", LAMBDA, str(folder))
    config = config_of(LAMBDA)
    with a_container(LAMBDA) as container:
        variable = f"AWS_LAMBDA_RUNTIME_API={runtime_api.address}"
        words = ["buildah", "run", "--env", variable, container, "--", *config["Entrypoint"], *config["Cmd"]]
        with started(words) as process:
            kind, answer = runtime_api.invoke(dict(row.features))
            owner = Path(f"/proc/{family(process.pid)[-1]}").stat().st_uid

    assert kind == "response"
    assert answer["score"] == pytest.approx(row.expected[0], abs=1e-9)
    assert owner == USER
