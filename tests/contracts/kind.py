"""What every kind promises, shown on one item and a variant of it. Kinds of other packages are held to it too.

`python -m tests.contracts.kind KIND` proves the items of that kind in the bank here and holds each variant to it.
"""

from __future__ import annotations

import sys

from grader import kinds
from grader.judging.running_answers import Marker
from grader.model import Input, Item, Outcome, Prompt, Proof, Response, Unreadable

RIGHT, WRONG = {Outcome.CORRECT}, {Outcome.INCORRECT, Outcome.PARTLY}


def hold(item: Item, proof: Proof, marker: Marker) -> None:
    """Prompts hold no key, and samples are what they say they are. Raises AssertionError."""
    kind = kinds.of(item)
    prompt = kind.prompt(item, proof.variant, proof)
    assert isinstance(prompt, Prompt)
    assert prompt.inputs
    assert all(isinstance(one, Input) for one in prompt.inputs)
    assert kind.prompt(item, proof.variant, None) in (None, prompt), "it is shown otherwise before it is proven"
    samples = kind.samples(item, proof)
    assert set(samples) - {"hostile"} == {"right", "wrong", "unreadable"}
    assert isinstance(kind.read(prompt, samples["unreadable"]), Unreadable)
    for sample, outcomes in (("right", RIGHT), ("wrong", WRONG)):
        response = kind.read(prompt, samples[sample])
        assert isinstance(response, Response), (item.id, sample)
        score = kind.grade(item, proof, response, marker)
        assert score.outcome in outcomes, (item.id, proof.variant, sample)
        assert (score.points == 1.0) == (sample == "right")
    assert isinstance(kinds.traits(item.kind), kinds.Traits)
    assert item.body.run_and_asked() or kind.TRAITS.is_card, "nothing of it is in its digest"
    assert kinds.starter(item.kind).startswith("- id: ITEM\n")


def main(name: str) -> None:
    """Hold all items of this kind to it."""
    from pathlib import Path

    from grader.content import bank_files
    from grader.content.verify import prove_all
    from grader.runner.local import LocalRunner

    bank = bank_files.read(bank_files.files([Path()]))
    items = [item for item in bank.items if item.kind == name]
    assert items
    assert not bank.findings, bank.findings[0]
    with LocalRunner() as runner:
        for item, proofs in prove_all(items, runner):
            for proof in proofs:
                assert not proof.findings, proof.findings[0]
                hold(item, proof, Marker(lambda: runner, seed=7))
    print(f"{len(items)} of {name}: held")


if __name__ == "__main__":
    main(sys.argv[1])
