"""Running the cells of a notebook that are not ours, in a kernel that is shut in, as far as it goes.

nbgrader's own `Execute`, with these differences: the kernel is confined and warm (`grader.kernels.confined_manager`),
and runs in a copy of the folder that it would run in (`run_folder`); what fails for want of something that is not in
there is left to a person (`kernel_differences`); a kernel that ends, hears nothing any more, or sends what nobody can
read, costs the cell that it was in and those after it, not the submission; of outputs beyond a bound nothing is kept
but the values and errors that points are from.
"""

from __future__ import annotations

import ast
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, v4
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade, is_locked
from traitlets import Any as Variables
from traitlets import Bool, Int
from traitlets.config import Config

from grader.errors import InputError
from grader.kernels import KERNEL, cleanup
from grader.nbgrader import hidden_tests, kernel_differences
from grader.nbgrader.hidden_tests import delimiters
from grader.nbgrader.run_folder import RunFolder

OF_PYTHON = ("python3", "python", KERNEL)
"""Kernels that are this Python by their names."""

VALUES, VALUE = 20, 10_000
"""How many values and errors of a cell are kept whatever else it shows, and how many characters of a value."""

SAFE_MESSAGES = 500
"""How many outputs of a cell cannot have made the kernel's socket lose any: it holds 1,000."""

_said_before: set[str] = set()

LOST = "unknown: it may have been lost among too many outputs"
MORE = "one of more values than are kept"


class Execution(Execute):  # type: ignore[misc]  # it is untyped
    """Runs cells as nbgrader does, in a kernel that is shut in."""

    confined = Bool(True, help="Shut kernels in. Without it they are nbgrader's: any language, and no sandbox.").tag(
        config=True
    )
    allow_unsandboxed = Bool(False, help="Run answers even where there is no sandbox.").tag(config=True)
    output_bytes = Int(10 << 20, help="Characters of output of a notebook that are kept.").tag(config=True)
    variables: Any = Variables(
        None, help="Variables that kernels get; None for those that this configuration has set."
    ).tag(config=True)
    patience = Int(2, help="How many cells in a row may reach their timeout before the kernel is given up.").tag(
        config=True
    )

    def preprocess(self, nb: NotebookNode, resources: Any, km: Any = None) -> Any:
        """Run the notebook. Raises InputError where its kernel is none that can be shut in."""
        self._kept = 0
        self._said: Counter[str] = Counter()
        self._timeouts = 0
        self._gone = ""
        self._lacks = ""
        self._left: dict[str, str] = {}
        if not self.confined:
            return super().preprocess(nb, resources, km)
        from grader.kernels.confined_manager import Manager

        must_be_python(nb)
        self.kernel_manager_class = Manager
        home = Path(resources["metadata"]["path"])
        self._see_to_surroundings(nb, resources, home)
        words = delimiters(self.config)
        with cleanup.temporary("grader-run-") as root:
            self._place = RunFolder(home, root, words)
            self._words = words
            resources["metadata"]["path"] = str(self._place.folder)
            try:
                return super().preprocess(nb, resources, km)
            finally:
                resources["metadata"]["path"] = str(home)
                resources["torch_grader_lacking"] = dict(self._left)
                for name in self._place.take_back(hidden_tests.secret(nb, words)):
                    self.log.warning("Of the files that the notebook made this is not kept: %s", name)

    def _see_to_surroundings(self, nb: NotebookNode, resources: Any, home: Path) -> None:
        """Give kernels what the configuration has set, and warn of what an instructor's cells will not find there."""
        found = kernel_differences.set_by_this_process() if self.variables is None else self.variables
        self._given, secrets = kernel_differences.given(self.config, found)
        options: dict[str, Any] = {"variables": self._given, "links": True}
        if self.allow_unsandboxed:
            options["allow_unsandboxed"] = True
        self.update_config(Config({"Manager": options}))
        notebook = str(resources.get("nbgrader", {}).get("notebook", ""))
        cells = [(f"{notebook}/{cell.metadata.nbgrader.grade_id}", cell.source) for cell in nb.cells if is_locked(cell)]
        for text in unsaid(kernel_differences.foreseen(cells, self._given, secrets, home)):
            self.log.warning("%s", text)

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> Any:
        """Run a cell; where the kernel has ended before it, it says so and has failed."""
        if self._gone:
            if cell.cell_type == "code" and cell.source.strip():
                cell.outputs = [_failed("NotRun", f"this cell was not run: {self._gone}")]
            return cell, resources
        self._said.clear()
        if self.confined and cell.cell_type == "code" and self._words.begin in cell.source:
            self._place.note_innocent()
        try:
            found = super().preprocess_cell(cell, resources, index)
        except (DeadKernelError, CellTimeoutError) as error:
            said = str(error).strip().splitlines()
            why = getattr(self.km, "ended_because", "") or (said[0] if said else type(error).__name__)
            self._give_up(cell, "KernelEnded", f"the kernel ended while this cell ran: {why}")
            return cell, resources
        except CellExecutionError:
            raise
        except Exception as error:  # noqa: BLE001  (a notebook may send its client anything, and that takes it to be sound)
            why = f"the kernel sent what cannot be read, and was given up: {type(error).__name__}"
            self._give_up(cell, "KernelEnded", why)
            return cell, resources
        self._see_to_loss(cell)
        if self.confined:
            self._see_to_lack(cell)
        self._timeouts = self._timeouts + 1 if _timed_out(cell) else 0
        if self._timeouts >= self.patience:
            self._give_up(cell, "KernelEnded", "the kernel did not stop when it was told to, and was ended")
        return found

    def _give_up(self, cell: NotebookNode, name: str, why: str) -> None:
        cell.outputs = [*cell.get("outputs", []), _failed(name, why)]
        self._gone = "the kernel had ended in an earlier one"
        self.log.warning("%s", f"{why[0].upper()}{why[1:]}")

    def _see_to_lack(self, cell: NotebookNode) -> None:
        """Have a graded cell left to a person that failed for want of something, or after a cell that did."""
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        whats = (
            kernel_differences.lacking(error, self._given, self._place.folder, self._place.home) for error in errors
        )
        what = next(filter(None, whats), "")
        if what and not self._lacks:
            self._lacks = what
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if errors and is_grade(cell) and (what or self._lacks):
            where = "" if what else "an earlier cell failed for this reason: "
            self._left[name] = f"{where}in the kernel, which is shut in, {what or self._lacks}"

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """Take in what the kernel says; of outputs only so much, but always the values and errors that count."""
        kind = msg["msg_type"]
        if kind in ("stream", "display_data", "execute_result", "error", "update_display_data"):
            before, self._kept = self._kept, self._kept + _size(msg["content"])
            self._said[kind] += 1
            too_much = self._kept > self.output_bytes
            if too_much and before <= self.output_bytes:
                self.log.warning("The notebook shows more than %d characters; the rest is not kept", self.output_bytes)
                text = "\n[what was shown after this was too much, and is not kept]\n"
                cell.outputs.append(v4.new_output("stream", name="stdout", text=text))
            counts = kind in ("execute_result", "error")
            if self._said[kind] > VALUES + 1 if counts else too_much:
                return None
            if counts and (too_much or self._said[kind] > VALUES):
                msg["content"] |= _short(kind, msg["content"], last=self._said[kind] > VALUES)
        return super().process_message(msg, cell, cell_index)

    def _see_to_loss(self, cell: NotebookNode) -> None:
        """Leave a graded cell without a value to a person where its value may be among the messages that were lost.

        A kernel's socket drops messages when they are too many at a time; that of an error comes by another one, too.
        """
        shown = {output.output_type for output in cell.get("outputs", [])}
        many = sum(self._said.values()) >= SAFE_MESSAGES
        if many and is_grade(cell) and not shown & {"execute_result", "error"} and _may_show(cell.source):
            cell.outputs.append(v4.new_output("execute_result", data={"text/plain": LOST}, execution_count=None))


def _short(kind: str, content: dict[str, Any], *, last: bool) -> dict[str, Any]:
    """The parts of a value's or an error's message that points come from, cut to a size."""
    if kind == "error":
        return {"ename": str(content.get("ename"))[:100], "evalue": str(content.get("evalue"))[:1000], "traceback": []}
    text = (content.get("data") or {}).get("text/plain") or ""
    text = "".join(map(str, text)) if isinstance(text, list) else str(text)
    kept = text if len(text) <= VALUE else f"{text[:VALUE]}…"
    return {"data": {"text/plain": MORE if last else kept}, "metadata": {}}


def _may_show(source: str) -> bool:
    """Whether the last line of a cell may have shown a value."""
    try:
        lines = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        return True  # IPython's own syntax
    return bool(lines) and isinstance(lines[-1], ast.Expr) and not source.rstrip().endswith(";")


def unsaid(texts: list[str]) -> list[str]:
    """Those of some warnings that were not asked for before in this process, or the one it was forked from."""
    new = [text for text in texts if text not in _said_before]
    _said_before.update(new)
    return new


def must_be_python(nb: NotebookNode) -> None:
    """Raise InputError where a notebook is for a kernel that is here and is another program, or of another language."""
    about = nb.metadata.get("kernelspec", {})
    name = str(about.get("name") or "python3")
    try:
        spec = KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel:
        if name in OF_PYTHON or about.get("language", "python") == "python":
            return
        reason = f"the notebook is for the kernel `{name}`, which is not here"
    else:
        if spec.argv and _is_this_python(spec.argv[0]):
            return
        reason = f"the notebook is for the kernel `{name}`, and only this Python can be shut in"
    raise InputError(reason, "`c.Judge.confined = False` in nbgrader_config.py runs it without a sandbox")


def _is_this_python(program: str) -> bool:
    """Whether a kernel's program is this interpreter, in this environment: others may be links to the same one."""
    if program in ("python", f"python{sys.version_info[0]}", "python{}.{}".format(*sys.version_info)):
        return True  # jupyter_client puts this one in its place
    found, own = Path(shutil.which(program) or ""), Path(sys.executable)
    return found.resolve() == own.resolve() and found.parent.resolve() == own.parent.resolve()


def _failed(name: str, text: str) -> NotebookNode:
    failed: NotebookNode = v4.new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])
    return failed


def _timed_out(cell: NotebookNode) -> bool:
    return any(one.output_type == "error" and one.ename == "CellTimeoutError" for one in cell.get("outputs", []))


def _size(content: object) -> int:
    """Characters of all texts in a message."""
    match content:
        case str():
            return len(content)
        case dict():
            return sum(map(_size, content.values()))
        case list():
            return sum(map(_size, content))
        case _:
            return 8
