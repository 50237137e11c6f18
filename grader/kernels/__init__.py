"""Warm kernels: Jupyter kernels forked from a process, the forkserver, that has imported torch already. Linux only.

`provisioner` is what Jupyter calls; it asks through `forkserver_client` for a kernel, and starts an ordinary one where
there is no warm one to be had. `forkserver` is the process that forks, `forked_kernel` what a fork does to become a
kernel. `extension` starts the forkserver with a Jupyter server.
"""

from __future__ import annotations

from pathlib import Path

KERNEL = "torch-warm"
"""The name of the kernelspec."""

PROVISIONER = "torch-grader-warm"
"""The name under which Jupyter finds what starts it."""

NOT_WARM = "GRADER_NOT_WARM"
"""The variable that says, in an ordinary kernel, why it is not a warm one."""


def registered() -> bool:
    """Whether Jupyter can start warm kernels: not where the package only lies on the path."""
    from importlib.metadata import entry_points

    return bool(entry_points(group="jupyter_client.kernel_provisioners", name=PROVISIONER))


def install(prefix: str | Path) -> Path:
    """Copy the kernelspec to `PREFIX/share/jupyter/kernels`, where it is not the same already; its folder.

    A wheel brings it along; this is for a prefix of one's own. Raises OSError.
    """
    import shutil

    there = Path(prefix) / "share/jupyter/kernels" / KERNEL
    there.mkdir(parents=True, exist_ok=True)
    for file in sorted((Path(__file__).parent / "kernelspec").iterdir()):
        target = there / file.name
        if not target.exists() or target.read_bytes() != file.read_bytes():
            shutil.copyfile(file, target)
    return there


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "grader.kernels.extension"}]
