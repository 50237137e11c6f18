"""Tables whose cells are called as their author says: counted from 0, by names, in two dimensions; in every face."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.content import bank_files
from grader.content.verify import PendingProof
from grader.faces.jupyter import page as pages
from grader.faces.jupyter import static
from grader.faces.service.service import Service
from grader.kinds import named
from grader.learning import digests
from grader.model import Item, NumberInput, Prompt
from grader.nbgrader import assignment, cell_values
from grader.runner.cached import RememberingRunner
from tests.support.browser import browser
from tests.support.common import Command
from tests.support.patience import milliseconds

ITEM = """\
- id: {name}
  kind: sequence
  level: easy
  skill: reading
  stem: What is in it?
{shows}  program: |
    import torch
    table = torch.tensor([[1, 2, 3], [4, 5, 6]])
    line = [0.5, 0.25, 0.125]
  answer: {answer}
  {how}
  solution: ["{{{answer}}}"]
"""

BANK = "format: 1\ntopic: t\ntitle: T\nmistakes: {swapped: {says: Rows come first.}}\nitems:\n" + "".join(
    ITEM.format(name=name, shows=f"  shows: {shows}\n" if shows else "", answer=answer, how=how)
    for name, shows, answer, how in (
        ("from-0", "entry", "line", "cells: 3\n  counts: index\n  starts: 0"),
        ("by-name", "", "line", "labels: [mean, median, 7]"),
        (
            "grid",
            "entry",
            "table",
            "labels: {rows: [row 0, row 1], columns: [a, b, c]}\n"
            '  mistakes: [{mistake: swapped, yields: "table.flip(0)"}]',
        ),
    )
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    (folder / "quizzes").mkdir()
    (folder / "quizzes/t.yaml").write_text(BANK)
    return folder


@pytest.fixture(scope="module")
def items(home: Path) -> dict[str, Item]:
    bank = bank_files.read(bank_files.files([home]))
    assert not bank.findings, bank.findings
    return {item.id: item for item in bank.items}


def prompt_of(item: Item, remembering: RememberingRunner) -> Prompt:
    proof = PendingProof.begin(item, item.variants[0], remembering).proof()
    assert not proof.findings
    found = named("sequence").prompt(item, item.variants[0], proof)
    assert found is not None
    return found


def graded(grader: Command, home: Path, item: str, answer: str) -> dict[str, Any]:
    done = grader("grade", item, "--bank", home, "--answer", answer, "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_cells_are_labelled_as_the_author_says(items: dict[str, Item], remembering: RememberingRunner) -> None:
    labels = {name: [one.label for one in prompt_of(item, remembering).inputs] for name, item in items.items()}
    assert labels["from-0"] == ["index 0", "index 1", "index 2"]
    assert labels["by-name"] == ["mean", "median", "7"]
    assert labels["grid"] == [f"{row}, {column}" for row in ("row 0", "row 1") for column in "abc"]


@pytest.mark.parametrize(
    ("item", "answer", "outcome", "said"),
    [
        ("from-0", "1/2 25% .125", "correct", ""),
        ("from-0", "0.5 1 2", "partly", "In the cell `index 1` the entry is 0.25, not 1. 1 of 3 cells are right."),
        ("by-name", '{"mean": 0.5, "7": 0.125, "median": "1/4"}', "correct", ""),
        ("by-name", "0.5 0.25 9", "partly", "In the cell `7` the value is 0.125, not 9. 2 of 3 cells are right."),
        ("grid", "1 2 3 4 5 6", "correct", ""),
        ("grid", "[[1, 2, 3], [4, 5, 6]]", "correct", ""),
        ("grid", "1 2 3\n", "unreadable", "6 numbers are wanted"),
        ("grid", "1 2 3; 4 0 6", "partly", "In the cell `row 1, b` the entry is 5, not 0. 5 of 6 cells are right."),
        ("grid", "0 0 0 0 0 0", "incorrect", "In the cell `row 0, a` the entry is 1, not 0."),
        ("grid", "1 4 2 5 3 6", "partly", "These are the right numbers, column by column; they are wanted row by row."),
        ("grid", "4 5 6 1 2 3", "incorrect", "Rows come first."),
    ],
)
def test_answers_are_judged_cell_by_cell(
    grader: Command, home: Path, item: str, answer: str, outcome: str, said: str
) -> None:
    document = graded(grader, home, item, answer)
    assert document["outcome"] == outcome
    assert said in document["feedback"]
    assert document["chart"] is None


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("run.lr_used", "rate"),
        ("optimizer.param_groups[0]['lr']", "rate"),
        ("rates", "rate"),
        ("scale(x.mean())", "value"),
    ],
)
def test_a_cell_holds_a_value_unless_rates_are_observed(answer: str, word: str) -> None:
    item = ITEM.format(name="a", shows="", answer=answer, how="labels: [first, second]")
    topic, findings = bank_files.parse(f"format: 1\ntopic: t\ntitle: T\nitems:\n{item}", "t.yaml")
    assert topic, findings
    assert topic.items[0].body.words[0] == word


def test_a_terminal_shows_rows_and_columns(grader: Command, home: Path) -> None:
    out = grader("quiz", "t", "--bank", home, "--no-records", "--plain", stdin="s\ns\n1 2 3 4 5 0\n").stdout
    assert "One number for each, from index 0 to index 2." in out
    assert "One number for each: mean, median and 7." in out
    assert "One number for each of 6 cells, row by row." in out
    lines = [line.split() for line in out.splitlines()]
    place = lines.index(["a", "b", "c"])
    rows = [line for line in lines[place + 1 : place + 5] if line[:1] == ["row"]]
    assert rows == [["row", "0", "?", "?", "?"], ["row", "1", "?", "?", "?"]]
    assert "Answer: 6 numbers with spaces between" in out
    assert "In the cell row 1, c the entry is 6, not 0." in " ".join(out.replace("`", "").split())
    assert "[[1, 2, 3], [4, 5, 6]]" in out


@pytest.fixture
def service(
    home: Path, tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch,
    remembering: RememberingRunner,
) -> Iterator[Service]:  # fmt: skip
    monkeypatch.setenv("GRADER_CACHE", environment["GRADER_CACHE"])
    monkeypatch.setenv("GRADER_BANK", str(home))
    made = Service(str(tmp_path / "records.sqlite"), runner=remembering)
    yield made
    made.close()


def test_a_page_has_the_cells_and_a_table_where_nothing_can_be_typed(service: Service) -> None:
    sheet = service.handle({"do": "open", "name": "t"})["ok"]["sheet"]
    shown = [service.handle({"do": "show", "sheet": sheet, "place": place})["ok"] for place in range(3)]
    assert [one.get("cell") for one in shown[0]["inputs"]] == [None] * 3
    assert shown[2]["inputs"][4] == {"type": "number", "label": "row 1, b", "unit": "", "cell": ["row 1", "b"]}
    page = static.page(sheet, shown, "")
    assert "<p>One number for each, from index 0 to index 2.</p>" in page
    assert "<p>One number for each of 6 cells, row by row.</p>" in page
    assert page.count("<th>") + page.count("<th ") == 4
    assert page.count("?</td>") == 6
    answer = {"do": "answer", "sheet": sheet, "place": 2, "raw": '["1", "2", "6/2", "4", "5", "6"]'}
    assert service.handle(answer)["ok"]["told"]["outcome"] == "correct"


WIDGET = """async ([source, style, sheet]) => {
    const heard = [];
    const model = {
        get: () => sheet, on: (_, hear) => heard.push(hear), off: () => {},
        send: async ({ to, request }) => { const reply = await ask({ sheet, ...request }); heard.forEach((hear) => hear({ ...reply, to })); },
    };
    document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
    document.documentElement.lang = "en";
    const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    await module.default.render({ model, el: document.body });
}"""
"""The widget in a page of its own, over a service of the test's."""


@pytest.mark.waits
def test_the_widget_has_a_table_of_inputs_by_row_and_column(service: Service) -> None:
    from axe_playwright_python.sync_playwright import Axe

    sheet = service.handle({"do": "open", "name": "grid"})["ok"]["sheet"]
    with browser() as chromium:
        page = chromium.new_page()
        page.set_default_timeout(milliseconds())
        page.expose_function("ask", service.handle)
        page.evaluate(WIDGET, [pages.bundle(), pages.style(), sheet])
        page.locator("table").wait_for()
        assert page.locator("thead th").all_inner_texts() == ["a", "b", "c"]
        assert page.locator("tbody th").all_inner_texts() == ["row 0", "row 1"]
        found = [one for one in Axe().run(page, context=".tg").response["violations"] if one["impact"] != "minor"]
        assert [one["id"] for one in found] == []
        for place, text in enumerate(("1", "2", "6 / 2", "4", "0", "600%")):
            page.locator("td input").nth(place).fill(text)
        page.get_by_role("button", name="Check").click()
        page.get_by_text("In the cell row 1, b the entry is 5, not 0.").wait_for()
        page.get_by_label("row 1, b").fill("5")
        page.get_by_role("button", name="Check again").click()
        page.locator('.tg-told[data-outcome="correct"]').wait_for()
        assert page.get_by_label("row 0, c").input_value() == "6 / 2"


def test_an_assignment_asks_for_rows_and_reads_them(items: dict[str, Item], remembering: RememberingRunner) -> None:
    grid = prompt_of(items["grid"], remembering)
    text = assignment.question(grid)
    assert "|  | a | b | c |\n| --- | ---: | ---: | ---: |\n| row 0 | ? | ? | ? |" in text
    assert text.endswith("*Answer with a list of 2 rows, each a list of 3 numbers.*")
    assert cell_values.literal(grid.inputs, "1 2 3 4 5 6") == "[[1, 2, 3], [4, 5, 6]]"
    for value in ([[1, 2, 3], [4, 5, 6]], [1, 2, 3, 4, 5, 6], ["1", "2", "9 / 3", 4, 5, 6]):
        read = named("sequence").read(grid, cell_values.typed(grid.inputs, cell_values.plain(value)))
        assert getattr(read, "numbers", None) == (1, 2, 3, 4, 5, 6)
    again = cell_values.of_form(*cell_values.form(grid.inputs), None)
    assert [type(one) for one in again] == [NumberInput] * 6
    assert assignment.question(prompt_of(items["from-0"], remembering)).endswith(
        "*Answer with a list of 3 numbers, for index 0 to index 2.*"
    )
    assert assignment.question(prompt_of(items["by-name"], remembering)).endswith(
        "*Answer with a list of 3 numbers, for mean, median and 7.*"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("labels: [mean, median, 7]", "labels: [mean, mean, 7]"), "two of the `labels` are `mean`"),
        (
            ("labels: [mean, median, 7]", "labels: [mean, median]\n  cells: 3"),
            "there are 2 labels, and `cells: 3` is 3",
        ),
        (("labels: [mean, median, 7]", "labels: [a, b, c]\n  starts: 0"), "`starts` counts cells, and these have"),
        (("labels: [mean, median, 7]", "hints: [Look.]"), "nothing says how many cells there are"),
        (("labels: [mean, median, 7]", "labels: [mean, median]"), "which is not a list of 2 numbers"),
        (("columns: [a, b, c]", "columns: [a, b]"), "not a table of 2 rows and 2 columns of 4 numbers"),
        (("columns: [a, b, c]", "column: [a, b]"), "columns"),
        (("answer: table", "answer: line"), "not a table of 2 rows and 3 columns of 6 numbers"),
        (("labels: [mean, median, 7]", "labels: [a, b, true]"), "labels"),
    ],
)
def test_labels_that_do_not_fit_are_findings(
    grader: Command, tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    path = tmp_path / "t.yaml"
    assert BANK.count(change[0]) == 1
    text = BANK.replace(*change)
    path.write_text(text.replace("{table}", "{line}") if "answer: line" in change else text)
    done = grader("verify", path)
    assert done.returncode in (1, 2)
    assert said in done.stdout
    assert str(path) in done.stdout


def test_other_labels_are_other_words_and_another_shape_is_another_question(home: Path, tmp_path: Path) -> None:
    def read(text: str) -> list[Item]:
        (tmp_path / "t.yaml").write_text(text)
        return list(bank_files.read([tmp_path / "t.yaml"]).items)

    before = read(BANK)
    reworded = read(BANK.replace("mean, median, 7", "one, two, three").replace("starts: 0", "starts: 2"))
    assert [digests.claims(item) for item in before] == [digests.claims(item) for item in reworded]
    same = [digests.words(one, {}) == digests.words(other, {}) for one, other in zip(before, reworded, strict=True)]
    assert same == [False, False, True]
    turned = read(BANK.replace("rows: [row 0, row 1], columns: [a, b, c]", "rows: [a, b, c], columns: [row 0, row 1]"))
    assert digests.claims(before[2]) != digests.claims(turned[2])
