"""The version, in one place: the build, the packages and the command all read it here."""

__all__ = ["__version__"]

__version__ = "0.1.0"
