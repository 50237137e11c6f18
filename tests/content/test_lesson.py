"""Lessons: read with their places, run, compared with what they recorded, written anew."""

from __future__ import annotations

import re
from pathlib import Path

import jupytext
import pytest

from grader.content import lesson_files, recorded_outputs
from grader.content.verify import Reading
from grader.model import Cell, Lesson, Prose
from grader.runner.local import LocalRunner
from tests.support.common import Command, alone

TEXT = """\
---
title: A page
topic: warmup
mode: learn
minutes: 5
jupytext:
  notebook_metadata_filter: title,topic,mode,minutes,-jupytext.text_representation.jupytext_version
  text_representation: {extension: .md, format_name: myst}
kernelspec: {name: python3, display_name: Python 3}
---
# A page

Epoch 3 trains with {eval}`round(0.1 * 3 / 5, 6)`<!-- 0.06 -->, epoch 2 with {eval}`round(0.1 * 2 / 5, 6)`<!-- 0.04 -->.

```{code-cell} python
import torch
base_lr = 0.1
print("the base rate is", base_lr)
base_lr * 2
```

```output
the base rate is 0.1
0.2
```

(counting)=
## Counting

:::{admonition} Hint
:class: dropdown
Count from **zero**.
:::

```{code-cell} python
:tags: [raises-exception]
torch.zeros(2, 3) @ torch.zeros(2)
```

```output
RuntimeError: size mismatch, got input (2), mat (2x3), vec (2)
```

```python
shown(only)
```

```{code-cell} python
:tags: [quiz, remove-input]
from grader.jupyter import quiz
quiz("warmup")
```
"""


def parsed(text: str = TEXT) -> Lesson:
    lesson, findings = lesson_files.parse(text, "page.md")
    assert not findings
    assert lesson
    return lesson


def findings(text: str, runner: LocalRunner) -> list[str]:
    lesson = parsed(text)
    return [str(finding) for finding in Reading(lesson, runner).findings()]


def test_a_lesson_is_read_with_its_places() -> None:
    lesson = parsed()
    assert (lesson.topic, lesson.mode, lesson.title, lesson.minutes) == ("warmup", "learn", "A page", 5)
    lines = TEXT.splitlines()
    for cell in lesson.cells:
        source = cell.source.splitlines()
        assert lines[cell.line - 1 : cell.line - 1 + len(source)] == source
        assert lines[cell.end - 1] == "```"
        if cell.pin:
            assert "\n".join(lines[cell.pin.first - 1 : cell.pin.last]) == cell.pin.text
    inlines = [inline for block in lesson.blocks if isinstance(block, Prose) for inline in block.inlines]
    assert [(inline.line, inline.pin) for inline in inlines] == [(13, "0.06"), (13, "0.04")]
    assert [cell.tags for cell in lesson.cells] == [(), ("raises-exception",), ("quiz", "remove-input")]
    assert len(lesson.steps) == 4
    assert sum(isinstance(step, Cell) for step in lesson.steps) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("---\ntitle", "title", "page.md:1:1: bad-lesson: a lesson starts with front matter"),
        ("title: A page\n", "", "page.md:1:1: bad-lesson: the front matter has no `title`"),
        ("minutes: 5", "minutes: five", "page.md:5:10: bad-lesson: `minutes` is not a number"),
        ("mode: learn", "mode: laern", "page.md:4:7: bad-lesson: there is no mode `laern`"),
        ("format_name: myst", "format_name: markdown", "page.md:7:3: bad-lesson: jupytext cannot tell that this is a MyST notebook"),
        (", display_name: Python 3", "", "page.md:9:13: bad-lesson: the front matter names no kernel"),
        ("```{code-cell} python\nimport", "```{code-cell} ruby\nimport", "page.md:15:1: bad-lesson: a cell in `ruby`"),
        ("```python\nshown(only)\n```", "```output\n1\n```", "page.md:44:1: bad-lesson: this output belongs to no cell"),
        ("Count from **zero**.", "```{code-cell} python\n1\n```", "page.md:30:1: bad-lesson: a cell inside of a block is lost when the page is opened as a notebook"),
        ("topic: warmup", "topic: warmup\ntopic: warmup", "page.md:4:1: duplicate-key"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_told_with_its_place(old: str, new: str, said: str) -> None:
    assert old in TEXT
    lesson, found = lesson_files.parse(TEXT.replace(old, new, 1), "page.md")
    assert lesson is None
    assert any(str(finding).startswith(said) for finding in found), found
    assert all(finding.hint for finding in found)


def test_a_mark_between_a_cell_and_its_pin_is_no_prose() -> None:
    """As editors write it that keep something of their own with the text cell that begins there."""
    marked = TEXT.replace("base_lr * 2\n```\n\n", 'base_lr * 2\n```\n\n+++ {"user_expressions": []}\n\n')
    assert marked != TEXT
    assert parsed(marked).cells[0].pin is not None


def test_what_is_recorded_holds(runner: LocalRunner) -> None:
    assert findings(TEXT, runner) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("is 0.1\n0.2", "is 0.1\n0.3", "page.md:24:1: pin-differs: recorded is `0.3`, the run says `0.2`"),
        ("<!-- 0.06 -->", "<!-- 0.07 -->", "page.md:13:1: pin-differs: recorded is `0.07`, the run says `0.06`"),
        ("0.1 * 3 / 5", "0.1 * 4 / 5", "page.md:13:1: pin-differs: recorded is `0.06`, the run says `0.08`"),
        ("base_lr = 0.1", "base_lr = 0.2", "page.md:23:1: pin-differs: recorded is `the base rate is 0.1`, the run says `the base rate is 0.2`"),
        ("<!-- 0.06 -->", "", "page.md:13:1: pin-differs: `round(0.1 * 3 / 5, 6)` has a value, and nothing is recorded"),
        ("the base rate is 0.1\n0.2\n", "the base rate is 0.1\n", "page.md:24:1: pin-differs: the cell prints one more line: 0.2"),
        ("size mismatch", "size match", "page.md:41:1: pin-differs: recorded is `RuntimeError: size match"),
        ("base_lr * 2\n", "base_rl * 2\n", "page.md:19:1: program-raises: the cell raises NameError: name 'base_rl' is not defined in `base_rl * 2`"),
        (":tags: [raises-exception]\n", "", "page.md:36:1: program-raises: the cell raises RuntimeError"),
        ("base_lr * 2\n", "torch.rand(1).item()\n", "page.md:16:1: not-deterministic"),
        ("base_lr * 2\n", "import warnings; warnings.warn('old'); 0.2\n", "page.md:19:1: program-warns: the cell warns: old"),
    ],
)  # fmt: skip
def test_what_no_longer_holds_is_found_at_its_line(old: str, new: str, said: str, runner: LocalRunner) -> None:
    assert old in TEXT
    found = findings(TEXT.replace(old, new, 1), runner)
    assert found
    assert found[0].startswith(said), found


@pytest.mark.parametrize(
    ("one", "other", "place"),
    [
        ("loss 0.12345", "loss 0.123451", None),
        ("loss 0.1234", "loss 0.1244", 0),
        ("<object at 0x7f001122>", "<object at 0x7faabbcc>", None),
        ("took 1.53 s", "took 0.9 s", None),
        ("took 15 ms, 3 left", "took 1 ms, 4 left", 0),
        ("a  b", "a b", None),
        ("a\nb", "a", 1),
        ("a\n", "a", None),
        ("step1 2", "step2 2", 0),
        ("1e-08", "2e-08", None),
        ("nan", "0.1", 0),
    ],
)
def test_outputs_are_compared_as_people_would(one: str, other: str, place: int | None) -> None:
    assert recorded_outputs.differing(one, other) == place
    assert recorded_outputs.differing(other, one) == place


def test_pins_are_written_anew_and_then_hold(runner: LocalRunner) -> None:
    stale = re.sub(r"<!-- .*? -->", "", TEXT).replace("base_lr = 0.1", "base_lr = 0.3")
    stale = stale.replace("\n```output\nRuntimeError: size mismatch, got input (2), mat (2x3), vec (2)\n```\n", "")
    lesson = parsed(stale)
    run = runner.submit(recorded_outputs.program(lesson, recorded_outputs.RECORDING)).result()
    text = recorded_outputs.rewritten(lesson, run)
    assert "<!-- 0.06 -->, epoch 2 with {eval}`round(0.1 * 2 / 5, 6)`<!-- 0.04 -->." in text
    assert "the base rate is 0.3\n0.6\n```" in text
    assert text.count("```output") == 2
    assert findings(text, runner) == []
    assert recorded_outputs.rewritten(parsed(text), run) == text
    assert (
        recorded_outputs.rewritten(
            parsed(), runner.submit(recorded_outputs.program(parsed(), recorded_outputs.RECORDING)).result()
        )
        == TEXT
    )


def test_the_file_survives_jupytext() -> None:
    """Opened as a notebook and saved: front matter, cells, pins and numbers in prose are what they were."""
    notebook = jupytext.reads(TEXT, fmt="md:myst")
    assert [cell.cell_type for cell in notebook.cells][:3] == ["markdown", "code", "markdown"]
    again = parsed(jupytext.writes(notebook, fmt="md:myst"))
    before = parsed()
    assert (again.title, again.topic, again.mode, again.minutes) == (
        before.title,
        before.topic,
        before.mode,
        before.minutes,
    )
    assert [cell.source for cell in again.cells] == [cell.source for cell in before.cells]
    assert [cell.pin and cell.pin.text for cell in again.cells] == [cell.pin and cell.pin.text for cell in before.cells]
    assert [step.pin for step in again.steps if not isinstance(step, Cell)] == ["0.06", "0.04"]


# ---------------------------------------------------------------- the commands


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/warmup.yaml").write_text(alone("warmup"))
    (tmp_path / "lessons/warmup").mkdir(parents=True)
    (tmp_path / "lessons/warmup/learn.md").write_text(TEXT)
    return tmp_path


def test_the_pin_command_shows_the_difference_and_writes_it(grader: Command, home: Path) -> None:
    page = home / "lessons/warmup/learn.md"
    page.write_text(TEXT.replace("0.1\n0.2", "0.1\n0.5"))
    stale = page.read_text()
    checked = grader("pin", "--bank", home, "--check")
    assert checked.returncode == 1
    assert "-0.5\n+0.2\n" in checked.stdout
    assert page.read_text() == stale
    assert grader("pin", "--bank", home).returncode == 0
    assert page.read_text() == TEXT
    assert grader("pin", page).stdout == "1 lessons, nothing to change.\n"
    assert sorted(path.name for path in page.parent.iterdir()) == ["learn.md"]


def test_a_lesson_that_does_not_run_is_left_as_it_is(grader: Command, home: Path) -> None:
    page = home / "lessons/warmup/learn.md"
    page.write_text(TEXT.replace("base_lr * 2", "base_rl * 2"))
    stale = page.read_text()
    done = grader("pin", page)
    assert done.returncode == 2
    assert "learn.md:19:1: program-raises" in done.stderr
    assert "not all of its cells ran" in done.stderr
    assert page.read_text() == stale


def test_verify_counts_lessons_and_finds_what_differs(grader: Command, home: Path) -> None:
    page = home / "lessons/warmup/learn.md"
    assert "1 lessons" in grader("verify", page.parent).stdout
    page.write_text(TEXT.replace("0.1\n0.2", "0.1\n0.5"))
    done = grader("verify", home / "lessons")
    assert done.returncode == 1
    assert "learn.md:24:1: pin-differs: recorded is `0.5`, the run says `0.2`" in done.stdout


def test_a_lesson_reads_well_in_80_columns(grader: Command, home: Path) -> None:
    shown = grader("learn", "warmup", "--bank", home).stdout
    assert max(len(line) for line in shown.splitlines() if "--bank" not in line) <= 80
    for part in (
        "A page",
        "Epoch 3 trains with 0.06, epoch 2 with 0.04.",
        "    base_lr = 0.1",
        "  the base rate is 0.1",
        "Hint",
        "Next\n  grader quiz warmup",
    ):
        assert part in shown
    for part in ("{eval}", "<!--", ":::", "(counting)=", "```"):
        assert part not in shown
    missing = grader("learn", "warmup", "--mode", "lern", "--bank", home)
    assert missing.returncode == 2
    assert "warmup has no lesson `lern`" in missing.stderr
