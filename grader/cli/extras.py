"""What is said where a command needs a package that comes with an extra."""

from __future__ import annotations

from importlib.util import find_spec

from grader.errors import InputError

EXTRAS = {
    "jupyter": ("jupyter_client", "jupyter_core", "jupyterlab", "ipykernel", "IPython", "jupytext", "nbformat",
                "nbclient", "nbconvert", "anywidget", "ipywidgets", "traitlets"),
    "nbgrader": ("nbgrader", "bleach"),
    "serve": ("starlette", "uvicorn", "itsdangerous", "h11", "anyio"),
    "postgres": ("psycopg", "psycopg2"),
    "cluster": ("distributed", "dask", "cloudpickle"),
    "exchange": ("genanki",),
    "print": ("typst",),
}  # fmt: skip
"""Which extra brings which packages, by the names that are imported."""


def must_have(package: str) -> None:
    """Raise InputError where a package of an extra is not installed; it is not imported."""
    if find_spec(package) is None and (lacking := missing_extra(ImportError(name=package))):
        raise lacking


def missing_extra(error: ImportError) -> InputError | None:
    """What is said where a package of an extra is not installed; None of any other error."""
    package = (error.name or "").partition(".")[0]
    extra = next((name for name, packages in EXTRAS.items() if package in packages), None)
    if extra is None:
        return None
    message = f"this needs the package `{package}`, which is not installed"
    return InputError(message, f"pip install 'torch-grader[{extra}]'")
