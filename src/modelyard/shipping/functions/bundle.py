"""Bundles: a folder that a serverless platform takes as it is."""

from collections.abc import Mapping
from pathlib import Path

from modelyard.core import ConfigError
from modelyard.packaging import Package
from modelyard.shipping.containerfile import Recipe, default_base, require_image_name
from modelyard.shipping.context import Contents, Context, image_name, write_context
from modelyard.shipping.requirements import extra_pins, serving_pins
from modelyard.shipping.wheel import WHEEL_NAME

__all__ = ["PLATFORMS", "bundle_folder", "make_bundle"]

PLATFORMS = ("lambda", "functions")
"""AWS Lambda as a container image; Google's Cloud Functions from source."""

_HANDLER = '''"""The entry point; {platform} calls ``{name}``."""

from pathlib import Path

from modelyard.shipping.functions import {imports}

{name} = {wrapper}(ModelFunction(Path(__file__).with_name("model"){log}))
'''


def make_bundle(
    package: Package,
    platform: str,
    folder: Path,
    *,
    base: str | None = None,
    log: str | None = None,
    wheels: Path | None = None,
) -> Context:
    """Write a bundle, whole or not at all.

    Parameters
    ----------
    platform
        One of :data:`PLATFORMS`.
    folder
        Where it goes.
    base
        Lambda: image to build on; None for the slim image of this Python.
    log
        Folder of the prediction log as the function sees it, such as a mounted network file system; None for lines on
        standard output.
    wheels
        Lambda: folder with a wheel of everything that is needed.

    Raises
    ------
    ConfigError
        If there is no such platform, or an option has no meaning for it.
    MissingExtraError
        If the platform's own client is not installed here, so that no version of it is known to work.
    StateError
        If something else lies in the folder.
    """
    if platform not in PLATFORMS:
        cure = f"Choose one of: {', '.join(PLATFORMS)}"
        raise ConfigError("there is no bundle of that name", where="modelyard bundle", got=repr(platform), cure=cure)
    if platform == "lambda":
        contents = _for_lambda(package, base or default_base(), log, wheels)
    elif base or wheels:
        raise ConfigError(
            "Cloud Functions choose the base and install by themselves", where="--base, --wheels", cure="Leave them out"
        )
    else:
        contents = _for_functions(package, log)
    return write_context(package, folder, contents)


def bundle_folder(package: Package, platform: str) -> Path:
    """Where a bundle goes if nobody says otherwise: in the current folder."""
    return Path(f"{image_name(package)}-{package.manifest.version}-{platform}")


def _for_lambda(package: Package, base: str, log: str | None, wheels: Path | None) -> Contents:
    """A container image whose entry point is Lambda's runtime interface client.

    An archive would not do: unpacked it may have 250 MB, which Polars and NumPy exceed by themselves.
    """
    serving = serving_pins(package.manifest.requirements)
    client = extra_pins("awslambdaric", extra="lambda", needed_for="a bundle for AWS Lambda", beside=serving)
    steps = ('ENTRYPOINT ["python", "-m", "awslambdaric"]', 'CMD ["handler.handler"]')
    recipe = Recipe(
        require_image_name(base, "--base"), ("handler.py",), has_wheels=wheels is not None, last_steps=steps
    )
    words = {"platform": "AWS Lambda", "name": "handler", "wrapper": "lambda_handler"}
    texts = {"Containerfile": recipe.text(package.manifest, WHEEL_NAME), "handler.py": _handler(words, log)}
    return Contents("lambda", (*serving, *client), texts, wheels)


def _for_functions(package: Package, log: str | None) -> Contents:
    """Source with ``main.py`` and ``requirements.txt``, whose installer follows every declaration."""
    serving = serving_pins(package.manifest.requirements, as_declared=True)
    needed_for = "a bundle for Cloud Functions"
    framework = extra_pins("functions-framework", extra="functions", needed_for=needed_for, beside=serving)
    words = {"platform": "Cloud Functions", "name": "predict", "wrapper": "cloud_function"}
    return Contents("functions", (*serving, *framework), {"main.py": _handler(words, log)}, names_wheel=True)


def _handler(words: Mapping[str, str], log: str | None) -> str:
    """The text of the entry point."""
    names = ["ModelFunction", words["wrapper"], *(["FolderLog"] if log else [])]
    given = f", FolderLog(Path({log!r}))" if log else ""
    return _HANDLER.format(imports=", ".join(sorted(names)), log=given, **words)
