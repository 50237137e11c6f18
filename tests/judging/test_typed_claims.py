"""What an author types proves nothing by itself: claims look at the program, keys agree with it, digits mean what they show."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.content import bank_files
from grader.content.verify import verify
from grader.model import Bank
from grader.runner.local import LocalRunner

HEAD = "format: 1\ntopic: t\ntitle: T\nitems:\n- id: a\n  level: easy\n  skill: s\n  stem: What?\n"
PROGRAM = "  program: |\n    import torch\n    x = torch.tensor([0.16912, 0.2])\n"
MISTAKES = "mistakes:\n  m: {says: No.}\n"


def read(tmp_path: Path, body: str, program: str = PROGRAM) -> Bank:
    path = tmp_path / "quiz.yaml"
    path.write_text(HEAD + program + body + MISTAKES)
    return bank_files.read([path])


def findings(tmp_path: Path, runner: LocalRunner, body: str, program: str = PROGRAM) -> list[str]:
    bank = read(tmp_path, body, program)
    return [f"{one.code}: {one.message}" for one in bank.findings or verify(bank, runner).findings]


SOLVED = '  solution: ["It is {x[0]}."]\n'
HOLE = "  program: |\n    import torch\n    ...answer...\n"
TYPED = {
    "choice, answer": "  kind: choice\n  answer: 0.1691\n  options: [{value: 0.1691, key: true}, {value: 1}]\n" + SOLVED,
    "choice, holds": "  kind: choice\n  options: [{text: A, holds: 'True', key: true}, {text: B, holds: 1 == 2}]\n" + SOLVED,
    "choice, because": "  kind: choice\n  options: [{text: A, holds: 'x[0] > 0', key: true}, {text: B, holds: 'x[0] < 0', mistake: m, because: '1 < 2'}]\n" + SOLVED,
    "multi": "  kind: multi\n  options: [{text: A, holds: not False, key: true}, {text: B, holds: 'x[0] < 0'}]\n" + SOLVED,
    "number": "  kind: number\n  answer: 0.1691\n  solution: ['It is {x[0]}.']\n",
    "sequence": "  kind: sequence\n  answer: [0.1691, 0.2]\n  cells: 2\n" + SOLVED,
    "value": "  kind: value\n  accepts: shape\n  answer: (2,)\n" + SOLVED,
    "match": "  kind: match\n  rows: [{text: a, answer: '3', key: 3}, {text: b, answer: '4', key: 4}]\n" + SOLVED,
    "card": "  kind: card\n  solution: [{say: So., holds: 'True'}]\n",
    "fill": "  kind: fill\n  fills: ['1']\n  holds: 'True'\n" + SOLVED,
    "order": "  kind: order\n  lines: [a = 1, b = a, c = b]\n  holds: max(1, 2) == 2\n  solution: [So.]\n",
    "code": "  kind: code\n  starter: a = 0\n  reference: a = 1\n  observe: '1'\n  solution: [So.]\n",
    "repair": "  kind: repair\n  starter: a = 0\n  reference: a = 1\n  checks: [{name: c, holds: '3 > 2'}]\n  solution: [So.]\n",
    "a step": "  kind: number\n  answer: x[0]\n  solution: [{say: So., holds: 1 == 1}, 'It is {x[0]}.']\n",
}  # fmt: skip


@pytest.mark.parametrize("sort", TYPED)
def test_a_claim_that_cannot_fail_is_refused_in_all_kinds(sort: str, tmp_path: Path) -> None:
    program = {"fill": "  program: |\n    import torch\n    x = torch.tensor([...1...])\n"}.get(sort, PROGRAM)
    bank = read(tmp_path, TYPED[sort], HOLE if sort in ("order", "code", "repair") else program)
    assert any("does not look at the program: it cannot fail" in one.message for one in bank.findings), bank.findings


def test_none_of_the_shipped_items_is_touched(bank: Bank) -> None:
    assert not bank.findings


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("  kind: number\n  answer: x[0]\n  key: 0.169\n", None),
        ("  kind: number\n  answer: x[0]\n  key: 0.1691\n", None),
        ("  kind: number\n  answer: x[0]\n  key: 0.17\n", None),
        ("  kind: number\n  answer: x[0]\n  key: 0.168\n", "key-fails: the key is 0.168, but PyTorch says tensor(0.16912)"),
        ("  kind: sequence\n  answer: x\n  cells: 2\n  key: [0.169, 0.2]\n", None),
        ("  kind: sequence\n  answer: x\n  cells: 2\n  key: [0.169, 0.3]\n", "key-fails: the key is [0.169, 0.3], but PyTorch says tensor([0.16912, 0.2])"),
        ("  kind: value\n  accepts: shape\n  answer: x.shape\n  key: '(2,)'\n", None),
        ("  kind: value\n  accepts: shape\n  answer: x.shape\n  key: '(2, 1)'\n", "key-fails: the key is (2, 1), but PyTorch says `(2,)`"),
        ("  kind: value\n  accepts: dtype\n  answer: x.dtype\n  key: float32\n", None),
        ("  kind: value\n  accepts: dtype\n  answer: x.dtype\n  key: float64\n", "key-fails: the key is float64, but PyTorch says `float32`"),
        ("  kind: value\n  accepts: literal\n  answer: x.requires_grad\n  key: false\n", None),
        ("  kind: value\n  accepts: shape\n  answer: x[0]\n", "step-fails: `x[0]` is tensor(0.16912), which is not a shape, its sizes in parentheses"),
        ("  kind: match\n  rows: [{text: a, answer: x.ndim, key: 1}, {text: b, answer: len(x), key: 3}]\n  others: [2]\n", "key-fails: the key of b is 3, but PyTorch says 2"),
        ("  kind: match\n  rows: [{text: a, answer: x.dtype, key: torch.float32}, {text: b, answer: x.double().dtype, key: float64}]\n", None),
        ("  kind: match\n  rows: [{text: a, answer: x.dtype, key: torch.float64}, {text: b, answer: x.double().dtype, key: float64}]\n  others: [int64]\n", "key-fails: the key of a is float64, but PyTorch says torch.float32"),
        ("  kind: match\n  params: {n: [2, 3]}\n  rows: [{text: a, answer: len(x) * n, key: 2 * n}, {text: b, answer: \"torch.ones(n, 2).shape\", key: '(n, 2)'}]\n", None),
        ("  kind: match\n  params: {n: [2, 3]}\n  rows: [{text: a, answer: len(x) * n, key: 2 * n}, {text: b, answer: n + len(x), key: n + 1}]\n", "key-fails: the key of b is 3, but PyTorch says 4"),
        ("  kind: match\n  params: {n: [2, 3]}\n  rows: [{text: a, answer: len(x) * n, key: 2 * n}, {text: b, answer: n + len(x), key: len(n)}]\n", "bad-expression: `len(n)` cannot be calculated from the parameters"),
        ("  kind: choice\n  answer: x[0]\n  options: [{value: 0.1691, key: true}, {value: 0.2}]\n", None),
        ("  kind: choice\n  answer: x[0]\n  options: [{value: 0.1691, key: true}, {value: 0.169}]\n", None),
        ("  kind: choice\n  answer: x[0]\n  options: [{value: 0.17, key: true}, {value: 0.1691}]\n", "distractor-holds: option B (0.1691) is not the key, but it holds"),
        ("  kind: choice\n  answer: x[0]\n  options: [{value: 0.1694, key: true}, {value: 0.2}]\n", "no-option-holds: PyTorch says tensor(0.16912), which is in no option (0.1694, 0.2)"),
        ("  kind: choice\n  answer: x.requires_grad\n  options: [{value: false, key: true}, {value: true}]\n", None),
        ("  kind: choice\n  answer: (x[0] * float('nan')).item()\n  options: [{value: \"float('nan')\", key: true}, {value: 0}]\n", None),
    ],
)  # fmt: skip
def test_what_is_typed_must_be_what_pytorch_says(
    body: str, said: str | None, tmp_path: Path, runner: LocalRunner
) -> None:
    """At the digits that are shown: of several that round to it, the one with most digits holds."""
    found = findings(tmp_path, runner, body + '  solution: ["{x[0]}, {x}, {x.shape}, {x.dtype}, {(x[0] * float(\'nan\')).item()}, {x.requires_grad}"]\n')  # fmt: skip
    assert (said is None and not found) or any(said in one for one in found if said), found
