"""A bank of questions for torch-grader, as a package."""

from importlib.metadata import files
from pathlib import Path


def folder() -> Path:
    """Where the bank was installed."""
    return Path(next(path for path in files("linear-bank") or () if path.name == "bank.yaml").locate()).parent
