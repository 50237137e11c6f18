"""What a kind of another package is made of; the fields of its YAML are in `grader.judging.fields`.

Plug-ins may import from here what `__all__` names.
"""

from __future__ import annotations

from grader.judging.bodies import Claimed, Reader
from grader.judging.claims import Findings, Plan, Results, plan
from grader.judging.comparison import equal
from grader.judging.prompts import prompt as make_prompt
from grader.judging.proofs import prove as prove_claims
from grader.judging.reading_answers import read
from grader.judging.running_answers import Marker
from grader.kinds import Traits
from grader.model import (
    LETTERS,
    Body,
    ChooseMany,
    ChooseOne,
    CodeInput,
    Input,
    Item,
    Labeled,
    NumberInput,
    OrderInput,
    Outcome,
    Prompt,
    Proof,
    Response,
    Score,
    TextInput,
    Unreadable,
    Variant,
)
from grader.template import show

__all__ = [
    "LETTERS", "Body", "ChooseMany", "ChooseOne", "Claimed", "CodeInput", "Findings", "Input", "Item", "Labeled",
    "Marker", "NumberInput", "OrderInput", "Outcome", "Plan", "Prompt", "Proof", "Reader", "Response", "Results",
    "Score", "TextInput", "Traits", "Unreadable", "Variant", "equal", "make_prompt", "plan", "prove_claims", "read",
    "show",
]  # fmt: skip
