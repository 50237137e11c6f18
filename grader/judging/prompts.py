"""What kinds share in asking: the stem and the program as a learner sees them, and options as inputs."""

from __future__ import annotations

from dataclasses import replace

from grader import template
from grader.judging import claims, given
from grader.judging.bodies import claimed
from grader.model import ChooseMany, ChooseOne, Input, Item, Prompt, Proof, Variant


def prompt(
    item: Item, variant: Variant, proof: Proof | None, inputs: tuple[Input, ...], place: str = claims.CODE_PLACE
) -> Prompt | None:
    """A prompt with these inputs; None where its stem takes a proof that is not there yet.

    `place` is what stands in the program where the learner's lines or code go.
    """
    if proof is not None:
        return replace(_made(item, variant, proof.stem, inputs, place), figures=proof.figures)
    if item.figures:
        return None
    values = claims.known(item.stem.expressions, variant)
    return None if values is None else _made(item, variant, template.fill(item.stem, values), inputs, place)


def options(item: Item, variant: Variant, proof: Proof | None, *, many: bool) -> Prompt | None:
    """The prompt of an item with options; None where its numbers take a proof that is not there yet."""
    if proof is not None:
        stem, shown = proof.stem, tuple(option.shown for option in proof.options)
    elif not item.figures and (known := claims.shown_before_proof(item, variant)) is not None:
        stem, shown = known
    else:
        return None
    code = any(option.code is not None and not option.text for option in claimed(item).options)
    last = tuple(place for place, option in enumerate(claims.shown_options(item, variant)) if option.last)
    choose = ChooseMany(shown, code=code, last=last) if many else ChooseOne(shown, code=code, last=last)
    made = _made(item, variant, stem, (choose,), claims.CODE_PLACE)
    return replace(made, figures=proof.figures) if proof else made


def _made(item: Item, variant: Variant, stem: str, inputs: tuple[Input, ...], place: str) -> Prompt:
    return Prompt(
        item=item.id,
        kind=item.kind,
        level=item.level,
        skill=item.skill,
        variant=variant,
        stem=stem,
        program=claims.shown_program(item, variant, place),
        inputs=inputs,
        hints=len(item.hints),
        given=given.shown(item, variant),
        origin=item.origin,
    )
