"""Figures of items: drawn from the item's own run, proven with it, shown in every face, counted in its digest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from grader import cli, kinds
from grader.content import bank_files
from grader.content.verify import prove_all
from grader.faces.jupyter import static
from grader.faces.service import html_documents
from grader.learning import digests
from grader.model import Cells, Figure, Finding, Item, Proof
from grader.nbgrader import assignment
from grader.render import figure_text
from grader.runner.local import LocalRunner

QUIZ = """\
format: 1
topic: views
title: Views
items:
- id: strides
  kind: choice
  level: easy
  skill: memory
  params: {rows: [2, 3]}
  stem: What are the strides of `x.T`?
  program: |
    import torch
    x = torch.arange(6.0).reshape(rows, -1)
    net = torch.nn.Linear(2, 1)
    loss = net(torch.ones(1, 2)).mean()
FIGURE
  answer: x.T.stride()
  options:
  - {value: "(1, 6 // rows)", key: true}
  - {value: "(6 // rows, 1)", mistake: rows-first, yields: x.stride()}
  solution: ["They change places: {x.T.stride()}."]
- id: write-it
  kind: code
  level: easy
  skill: memory
  stem: Write `halved(x)`.
  program: |
    import torch
    x = torch.tensor([2.0, 4.0])
    ...answer...
    y = halved(x)
  figure: {draw: grid, data: '{"x": x, "y": y}', title: Before and after, reveals: true}
  observe: y
  starter: |
    def halved(x):
        return x
  reference: |
    def halved(x):
        return x / 2
  solution: ["{y.tolist()}"]
mistakes:
  rows-first: {says: The strides change places.}
"""
CELLS = """  figure: {draw: cells, data: '{"x": x}', title: 'What x reads'}"""


def read(figure: str = CELLS) -> tuple[list[Item], list[Finding]]:
    topic, findings = bank_files.parse(QUIZ.replace("FIGURE", figure), "views.yaml")
    return list(topic.items) if topic else [], findings


def proofs(items: list[Item], runner: LocalRunner) -> list[Proof]:
    return [proof for _, proven in prove_all(items, runner) for proof in proven]


@pytest.fixture(scope="module")
def proven(runner: LocalRunner) -> tuple[list[Item], list[Proof]]:
    items, findings = read()
    assert not findings
    found = proofs(items, runner)
    assert [str(finding) for proof in found for finding in proof.findings] == []
    return items, found


def test_each_variant_has_the_figure_of_its_own_run(proven: tuple[list[Item], list[Proof]]) -> None:
    _, (first, second, written) = proven
    shapes = []
    for proof in (first, second):
        (figure,) = proof.figures
        assert isinstance(figure.content, Cells)
        shapes.append(figure.content.rows[0].readers[0].about)
    assert shapes == ["shape (2, 3), strides (3, 1), offset 0", "shape (3, 2), strides (2, 1), offset 0"]
    assert figure_text.lines(written.figures[0].content)[2] == " 2.  4.      1.  2."


def test_a_prompt_waits_for_its_figure(proven: tuple[list[Item], list[Proof]]) -> None:
    items, (first, *_) = proven
    kind = kinds.of(items[0])
    assert kind.prompt(items[0], first.variant, None) is None
    prompt = kind.prompt(items[0], first.variant, first)
    assert prompt is not None
    assert prompt.figures == first.figures


def test_every_face_shows_it(proven: tuple[list[Item], list[Proof]]) -> None:
    items, (first, *_) = proven
    prompt = kinds.of(items[0]).prompt(items[0], first.variant, first)
    assert prompt is not None
    document = html_documents.prompt(prompt)
    (drawn,) = document["figures"]
    assert drawn["title"] == "What x reads"
    assert drawn["svg"].startswith("<svg ")
    around = {"place": 0, "of": 1, "item": "strides"}
    page = static.page("sheet", [document | around], "")
    assert f'<img src="{drawn["image"]}" alt="What x reads. Memory from place 0 on holds' in page
    text = assignment.question(prompt)
    assert "```text\nWhat x reads\nplace    0    1    2    3    4    5\nholds   0." in text


def test_the_command_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes/views.yaml").write_text(QUIZ.replace("FIGURE", CELLS))
    for name in ("GRADER_CACHE", "NO_COLOR", "COLUMNS"):
        monkeypatch.setenv(name, environment[name])
    monkeypatch.setenv("GRADER_DB", str(tmp_path / "records.sqlite"))
    done = CliRunner().invoke(cli.app, ["quiz", "views", "--bank", str(tmp_path), "--plain"], input="A\nq\n")
    assert "What x reads\n\n  place    0    1    2    3    4    5\n  holds   0.   1." in done.output


@pytest.mark.parametrize(
    ("figure", "code", "said"),
    [
        ("{draw: cells, data: x}", "bad-figure",
         "`data` cannot be drawn (cells): cells are tensors by name, such as {'a': ..., 'b': ...}; this is a Tensor"),
        ("{draw: grid, data: 'x.expand(20, *x.shape)[:, 0]'}", "bad-figure",
         "`data` cannot be drawn (grid): a figure has 1 to 16 rows, this one 20; draw a part of it"),
        ("{draw: tree, data: missing}", "bad-figure",
         "`data` cannot be drawn (tree): NameError: name 'missing' is not defined"),
        ("{draw: grid, data: 'x.T.stride()'}", "figure-leaks", None),
        ("{draw: bars, data: '{\"a\": len(x)}', title: 'It is (1, 3)'}", "figure-leaks", "the figure shows the answer, (1, 3)"),
        ("[{draw: graph, data: loss}, {draw: matrix, data: x}, {draw: curve, data: 'x[0]'}, {draw: tree, data: net}]", "", ""),
    ],
)  # fmt: skip
def test_verify_proves_the_form_and_finds_a_figure_that_tells(
    figure: str, code: str, said: str | None, runner: LocalRunner
) -> None:
    items, findings = read(f"  figure: {figure}")
    assert not findings
    found = [finding for proof in proofs(items[:1], runner)[:1] for finding in proof.findings]
    if said is None:  # a row of two numbers is not the tuple in so many words: not every leak is seen
        assert not found
        return
    assert [finding.code for finding in found] == ([code] if code else [])
    if code:
        assert found[0].message == said
        assert found[0].hint
        assert found[0].at.line == 16


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        ("{draw: pie, data: x}", "`draw` is `pie`"),
        ("{draw: grid}", "the field `data` is missing"),
        ("{draw: grid, data: 'x +'}", "`x +` is not a Python expression"),
        ("{draw: grid, data: x, titel: T}", "there is no field `titel` here"),
        ("{draw: bars, data: '{\"a\": 1}'}", "does not look at the program: it cannot fail"),
        ("[]", "`figure` is not what it should be"),
    ],
)
def test_a_figure_that_is_not_well_formed_is_a_finding(figure: str, said: str) -> None:
    _, findings = read(f"  figure: {figure}")
    assert any(said in finding.message for finding in findings), [str(finding) for finding in findings]


def test_a_number_that_is_the_answer_may_be_shown_where_that_is_said(runner: LocalRunner) -> None:
    quiz = QUIZ.replace("FIGURE", "").replace("answer: x.T.stride()", "answer: 'float(x[1][0]) + 0.5'").replace(
        'value: "(1, 6 // rows)"', "value: 6 / rows + 0.5").replace('"(6 // rows, 1)", mistake: rows-first, yields: x.stride()',
        "77, mistake: rows-first, yields: 70 + 7").replace("{x.T.stride()}", "{float(x[1][0]) + 0.5}")  # fmt: skip
    for more, codes in (("", ["figure-leaks"]), (", reveals: true", [])):
        text = quiz.replace("  answer:", f"  figure: {{draw: grid, data: x + 0.5{more}}}\n  answer:", 1)
        topic, findings = bank_files.parse(text, "views.yaml")
        assert not findings
        assert topic
        (first, *_) = proofs(list(topic.items[:1]), runner)
        assert [finding.code for finding in first.findings] == codes


def test_digests_count_figures_where_there_are_any() -> None:
    (with_one, other), _ = read()
    (without, _), _ = read("")
    (renamed, _), _ = read(CELLS.replace("What x reads", "Something else"))
    (changed, _), _ = read(CELLS.replace('"x": x', '"x": x + 0'))
    assert digests.claims(with_one) != digests.claims(without)
    assert digests.claims(with_one) == digests.claims(renamed)
    assert digests.words(with_one, {}) != digests.words(renamed, {})
    assert digests.claims(with_one) != digests.claims(changed)
    assert digests.claims(other) == digests.claims(read("")[0][1])


def test_documents_are_plain_json(proven: tuple[list[Item], list[Proof]]) -> None:
    figures: list[Figure] = [figure for proof in proven[1] for figure in proof.figures]
    documents: list[Any] = [html_documents.figure(figure) for figure in figures]
    assert json.loads(json.dumps(documents)) == documents
