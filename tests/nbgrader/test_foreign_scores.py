"""Points of graded cells: nbgrader's, but for what NBGRADER's rules get wrong, which is listed here case by case."""

from __future__ import annotations

import copy
import html
import json
from typing import Any

import pytest
from nbformat import v4
from nbgrader import utils

from grader.model import Outcome
from grader.nbgrader import foreign_scores, hidden_tests, results
from grader.nbgrader.hidden_tests import CUT, CUT_ALL, Delimiters, Secret

MOST = 2.0


def cell(*outputs: Any, source: str = "assert x", count: int | None = 1, **marks: Any) -> Any:
    about = {"grade": True, "solution": False, "locked": True, "grade_id": "a", "points": MOST, "schema_version": 3}
    made = v4.new_code_cell(source, metadata={"nbgrader": {**about, **marks}}, execution_count=count)
    made.outputs = list(outputs)
    return made


def shown(text: Any) -> Any:
    return v4.new_output("execute_result", data={"text/plain": text}, execution_count=1)


def printed(text: str, name: str = "stdout") -> Any:
    return v4.new_output("stream", name=name, text=text)


def raised(name: str = "AssertionError", message: str = "", *traceback: str) -> Any:
    return v4.new_output("error", ename=name, evalue=message, traceback=list(traceback))


# ---------------------------------------------------------------- points

AS_NBGRADER = {
    "nothing": [],
    "printed": [printed("1.0\n")],
    "displayed": [v4.new_output("display_data", data={"text/plain": "0.5"})],
    "error": [raised("AssertionError", "no")],
    "printed, then an error": [printed("x"), raised()],
    "a number": [shown("0.5")],
    "an integer": [shown("1")],
    "zero": [shown("0")],
    "minus zero": [shown("-0.0")],
    "all": [shown("2.0")],
    "in exponents": [shown("1.5e-1")],
    "one line in a list": [shown(["0.5"])],
    "printed, then a number": [printed("x"), shown("1.25")],
}


@pytest.mark.parametrize("name", AS_NBGRADER)
def test_points_are_those_of_nbgrader(name: str) -> None:
    made = cell(*AS_NBGRADER[name])
    assert foreign_scores.score(made).points == utils.determine_grade(copy.deepcopy(made))[0]


@pytest.mark.parametrize(
    "marks", [{"solution": True}, {"solution": True, "checksum": "other"}, {"solution": True, "checksum": None}]
)
@pytest.mark.parametrize("kind", ["code", "markdown"])
def test_answers_that_people_read_are_as_in_nbgrader(marks: dict[str, Any], kind: str) -> None:
    made = cell(**marks) if kind == "code" else v4.new_markdown_cell("text", metadata=cell(**marks).metadata)
    if "checksum" in marks and marks["checksum"] is None:
        made.metadata.nbgrader.checksum = utils.compute_checksum(made)
    found = foreign_scores.score(made)
    assert (found.points, found.most) == utils.determine_grade(made)
    assert found.told == ""
    made.metadata.nbgrader.solution = False
    if kind == "markdown":
        assert foreign_scores.score(made).points is None is utils.determine_grade(made)[0]


READ = {
    "np.float64(0.5)": 0.5, "np.float32(1.25)": 1.25, "np.int64(1)": 1.0, "tensor(0.5)": 0.5, "tensor(0.5000)": 0.5,
    "tensor(1)": 1.0, "tensor(1.)": 1.0, "tensor(5.0000e-01, dtype=torch.float64)": 0.5, "array(0.5)": 0.5,
    "array(0.5, dtype=float32)": 0.5, "tensor(0.5000, grad_fn=<MeanBackward0>)": 0.5, "tensor(0.5, requires_grad=True)": 0.5,
    "tensor(0.5, device='cuda:0')": 0.5, "np.float64(0.0)": 0.0, "+.5": 0.5, " 0.5\n": 0.5, "2.0000000000000004": 2.0,
    "-1e-12": 0.0,
}  # fmt: skip
"""What NumPy and PyTorch show of a number, and sums that rounding took out of range."""

LEFT = [
    "nan", "np.float64(nan)", "tensor(nan)", "inf", "-inf", "infinity", "1e999", "-1.0", "-0.5", "tensor(-1.)",
    "2.1", "1e300", "tensor(2.5000)", "True", "False", "np.True_", "tensor(True)", "'0.5'", "0.5 points", "[0.5]",
    "tensor([0.5000])", "tensor([0.5, 0.5])", "array([0.5])", "{'score': 0.5}", "(0.5+0j)", "0.5, 0.5", "None", "", "  ",
    "Any", "tensor(0.5); 2", "np.float64(0.5)(2)", "float64(2)", "1_0", "0x1", "٢", "1 2", "tensor(0.5, x=2)",
    "'0 failed'", "'Test failed'", "'not ok'", "'wrong'", "<Score 0.5>", "<Score: False>", "<unittest TestResult run=3 errors=0>",
    "<1>", "[<1>]", "Score(0.5)", "Fraction(1, 2)", "torch.Size([2])", "Dropout(p=0.5, inplace=False)", "'a' 'b'", "<a>, 0.5",
    "[<a>, 0.5]", "Text(0.5)", "<torch.Tensor nan>", "[]", "{}",
]  # fmt: skip
"""What says no points: a person looks at it. nbgrader gives full marks, or grades nothing of the submission."""


NO_SCORE = [
    "<All keys matched successfully>", "<torch._C.Generator at 0x7f0123456789>", "<function check at 0x7f01a2>",
    "<__main__.Net object at 0x10>", "<IPython.core.display.HTML object>", "[<matplotlib.lines.Line2D at 0x7f01>]",
    "[<matplotlib.lines.Line2D at 0x7f01>,\n <matplotlib.lines.Line2D at 0x7f02>]", "<Figure size 640x480 with 1 Axes>",
    "Text(0.5, 1.0, 'Loss of epoch 3')", "Text(0, 0.5, 'loss')", "'All tests passed'", '"That\'s it"', "ReLU()",
    "Net(\n  (body): Sequential(\n    (0): Linear(in_features=4, out_features=8, bias=True)\n    (1): ReLU()\n  )\n)",
]  # fmt: skip
"""Values that are clearly no score: the cell has run to its end, and that is what counts."""


@pytest.mark.parametrize("text", NO_SCORE)
def test_what_is_clearly_no_score_is_worth_what_nbgrader_gives(text: str) -> None:
    made = cell(shown(text))
    assert foreign_scores.score(made) == foreign_scores.Scored(MOST, MOST)
    assert utils.determine_grade(made)[0] == MOST
    assert foreign_scores.score(cell(shown(text), shown("0.5"))).points is None
    assert foreign_scores.score(cell(shown(text), raised())).points == 0.0


@pytest.mark.parametrize("text", READ)
def test_a_number_is_read_as_it_is_shown(text: str) -> None:
    assert foreign_scores.score(cell(shown(text))).points == READ[text]


@pytest.mark.parametrize("text", LEFT)
def test_what_is_no_number_of_points_is_left_to_a_person(text: str) -> None:
    found = foreign_scores.score(cell(shown(text)))
    assert found.points is None
    assert found.told.startswith("Left to be graded by a person: ")


def test_what_a_result_of_pytorch_and_numpy_shows_is_read() -> None:
    """The patterns above, made by those who show them."""
    import numpy as np
    import torch

    for value in (0.5, np.float64(0.5), np.float32(0.5), torch.tensor(0.5), torch.tensor(0.5, dtype=torch.float64),
                  torch.tensor(0.5, requires_grad=True), torch.tensor(1.0, requires_grad=True) * 0.5, np.array(0.5)):  # fmt: skip
        assert foreign_scores.score(cell(shown(repr(value)))).points == 0.5
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.ReLU()))
    for value in (model.load_state_dict(model.state_dict()), model, model.train(), torch.manual_seed(0)):
        assert foreign_scores.score(cell(shown(repr(value)))).points == MOST
    for value in (
        True,
        np.bool_(True),
        torch.tensor(True),
        torch.tensor([0.5]),
        float("nan"),
        torch.tensor(torch.nan),
    ):
        assert foreign_scores.score(cell(shown(repr(value)))).points is None


def test_a_warning_costs_nothing_and_an_error_all() -> None:
    assert foreign_scores.score(cell(printed("UserWarning: x", "stderr"))).points == MOST
    assert foreign_scores.score(cell(printed("UserWarning: x", "stderr"), shown("1.0"))).points == 1.0
    killed = raised("CellTimeoutError", "", "\x1b[0;31mCellTimeoutError\x1b[0m: No reply")
    assert foreign_scores.score(cell(printed("x", "stderr"), killed)).told == (
        "0 of 2 points: the cell was stopped, since it did not come to an end in time"
    )


def test_a_value_that_is_shown_before_an_error_earns_nothing() -> None:
    """Code of a student may show a value, by `sys.displayhook`, before the tests fail or show theirs."""
    assert foreign_scores.score(cell(shown("2.0"), raised())).points == 0.0
    assert foreign_scores.score(cell(shown("2.0"), shown("0.5"))).points is None
    assert foreign_scores.score(cell(shown("0.5"), shown("np.float64(0.5)"))).points == 0.5


def test_odd_outputs_stop_nothing() -> None:
    for data in ({}, {"text/html": "<b>1</b>"}, {"text/plain": None}, {"text/plain": []}, {"text/plain": ["1\n", "2"]}):
        odd = {"output_type": "execute_result", "data": data}
        assert foreign_scores.score(cell(odd)).points is None
    without = {"output_type": "execute_result"}
    assert foreign_scores.score(cell(without)).points is None
    assert foreign_scores.score(cell({"output_type": "error"})).told == "0 of 2 points: Error"
    with pytest.raises(ValueError, match="not graded"):
        foreign_scores.score(cell(grade=False))


def test_a_cell_that_was_not_run_has_no_full_marks() -> None:
    """A notebook may carry a tag that keeps nbclient from running a cell."""
    assert foreign_scores.score(cell(count=None)).points is None
    assert foreign_scores.score(cell(count=None, source=" \n")).points == MOST
    assert utils.determine_grade(cell(count=None))[0] == MOST


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (raised("AssertionError", "x must be 3\nnot 4"), "AssertionError: x must be 3"),
        (raised("AssertionError", "\n  Not equal to tolerance\nx"), "AssertionError: Not equal to tolerance"),
        (raised("NameError"), "NameError"),
        (raised("E\x1b[31m", "a\x00b"), r"E\x1b[31m: a\x00b"),
        (raised("ValueError", "x" * 500), f"ValueError: {'x' * 107}…"),
    ],
)
def test_an_error_is_told_in_a_line(error: Any, said: str) -> None:
    assert foreign_scores.score(cell(error)).told == f"0 of 2 points: {said}"


def test_points_are_told_where_some_are_lost() -> None:
    assert foreign_scores.score(cell(shown("1.5"))).told.startswith("1.5 of 2 points: partial credit")
    assert foreign_scores.score(cell(shown("2"))).told == ""
    assert "its value is nan, which is not a number of points" in foreign_scores.score(cell(shown("nan"))).told
    assert "its value is -1.0, and the cell has from 0 to 2 points" in foreign_scores.score(cell(shown("-1.0"))).told


# ---------------------------------------------------------------- hidden tests

SOURCE = """\
assert factor(0) == 0.2
### BEGIN HIDDEN TESTS
for probe in (3, 7):
    assert factor(probe) == min((probe + 1) / 5, 1), "it should stop"
### END HIDDEN TESTS
assert True"""
LINE = 'assert factor(probe) == min((probe + 1) / 5, 1), "it should stop"'


def test_regions_become_a_line() -> None:
    shown, lines = hidden_tests.split(SOURCE, Delimiters())
    assert shown == f"assert factor(0) == 0.2\n{hidden_tests.HIDDEN}\nassert True"
    assert [line.strip() for line in lines] == ["for probe in (3, 7):", LINE]
    assert hidden_tests.split("a\n  # START\nb\n", Delimiters("START", "STOP")) == (
        f"a\n  {hidden_tests.HIDDEN}",
        ["b", ""],
    )
    assert hidden_tests.split("### END HIDDEN TESTS\na", Delimiters()) == ("### END HIDDEN TESTS\na", [])


FORMS = {
    "as it is": LINE,
    "indented": f"     1 |    {LINE}  # what",
    "repr": repr(["", SOURCE]),
    "repr of a repr": repr(repr(SOURCE)),
    "json": json.dumps(SOURCE),
    "colored": "\x1b[32massert\x1b[39m " + LINE.removeprefix("assert "),
    "a character a line": "\n".join(LINE),
    "wrapped": LINE[:20] + "\n" + LINE[20:],
    "html": "<pre>" + html.escape(LINE) + "</pre>",
    "html with tags": "".join(f"<i>{html.escape(one)}</i>" for one in LINE),
    "attribute": f"<p title='{html.escape(LINE)}'>x</p>",
    "hex escapes": "".join(f"\\x{ord(one):02x}" for one in LINE),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_hidden_line_is_found_however_it_is_shown(form: str) -> None:
    secret = Secret(hidden_tests.split(SOURCE, Delimiters())[1], ["assert factor(0) == 0.2"])
    assert secret.in_text(FORMS[form])
    masked = secret.cut(f"before\n{FORMS[form]}\nafter")
    assert not secret.in_text(masked)
    if "\n" not in FORMS[form]:
        assert masked == f"before\n{CUT}\nafter"
    else:
        assert masked == CUT_ALL


def test_what_is_no_secret_stays() -> None:
    secret = Secret(["import torch", "x = 1", "else:", "1.0, 2.0, 3.0, 4.0,", LINE], ["import torch", "y = 2"])
    for text in ("import torch", "x = 1", "else:", "[1.0, 2.0, 3.0, 4.0, 5.0]", "AssertionError: it should stop"):
        assert secret.cut(text) == text
    assert not Secret([]).in_text("anything")
    together = f"x = 1\n{LINE}\nmine\n  else:\n1.0"
    assert secret.cut(together) == f"{CUT}\nmine\n{CUT}\n1.0"


def test_outputs_lose_what_repeats_hidden_tests() -> None:
    secret = Secret(hidden_tests.split(SOURCE, Delimiters())[1])
    failed = raised("AssertionError", "it should stop", "frame", f"----> 4 {LINE}", "AssertionError: it should stop")
    (masked,) = hidden_tests.mask_outputs([copy.deepcopy(failed)], secret, own=True)
    assert masked["traceback"] == ["AssertionError: it should stop"]
    (masked,) = hidden_tests.mask_outputs([copy.deepcopy(failed)], secret, own=False)
    assert masked["traceback"] == ["AssertionError: it should stop"]
    innocent = raised("ValueError", "x", "frame", "my_code()", "ValueError: x")
    assert hidden_tests.mask_outputs([copy.deepcopy(innocent)], secret, own=False) == [innocent]
    many = [printed(f"one\n{LINE}\ntwo\n"), shown(repr(SOURCE)), raised(LINE, SOURCE),
            v4.new_output("display_data", data={"text/html": f"<p>{LINE}</p>", "text/plain": "ok"}),
            v4.new_output("display_data", data={"application/json": {"a": [LINE]}}),
            v4.new_output("display_data", data={"image/png": "aGk="}, metadata={"image/png": {"alt": LINE}}),
            printed("what stays\n")]  # fmt: skip
    masked = hidden_tests.mask_outputs(copy.deepcopy(many), secret, own=False)
    assert len(masked) == len(many)
    assert not secret.in_data(masked)
    assert masked[0]["text"] == f"one\n{CUT}\ntwo\n"
    assert masked[-1] == many[-1]
    assert masked[3]["data"]["text/plain"] == "ok"


def test_a_line_in_pieces_is_found_over_all_outputs_of_a_cell() -> None:
    secret = Secret([LINE])
    pieces = [printed(LINE[:30]), printed(LINE[30:])]
    assert [one["text"] for one in hidden_tests.mask_outputs(pieces, secret, own=False)] == [CUT_ALL]
    pieces = [v4.new_output("display_data", data={"text/plain": one, "text/html": "x"}) for one in LINE]
    assert len(hidden_tests.mask_outputs(pieces, secret, own=False)) == 1


def test_widgets_that_repeat_hidden_tests_go() -> None:
    metadata = {"widgets": {"state": {"1": {"state": {"value": f"<b>{LINE}</b>"}}}}, "kernelspec": {}}
    hidden_tests.mask_widgets(metadata, Secret([LINE]))
    assert metadata == {"kernelspec": {}}
    metadata = {"widgets": {"state": {"1": {"state": {"value": "mine"}}}}}
    hidden_tests.mask_widgets(metadata, Secret([LINE]))
    assert "widgets" in metadata


# ---------------------------------------------------------------- what is read back

TOLD = {
    "item": "a", "topic": "t", "kind": "number", "level": "easy", "skill": "s", "variant": 0, "outcome": "incorrect",
    "mistake": "m", "family": "f", "says": "S", "response": "1",
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"variant": "0"}, {"variant": True}, {"outcome": "best"}, {"more": 1}, {"item": None}, {"mistake": ["m"]}],
)
def test_only_what_has_the_shape_is_read_back(change: dict[str, Any]) -> None:
    found = results.read(TOLD)
    assert found is not None
    assert found.outcome == Outcome.INCORRECT
    assert results.read(TOLD | change) is None
    assert results.read({name: value for name, value in TOLD.items() if name != "says"}) is None
    assert results.read([TOLD]) is None
