"""Banks beside each other: names with a prefix, where banks are found, ids that an item had before."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from grader.content import bank_files, bank_homes
from grader.errors import InputError
from grader.learning import former_ids, planning, spaced_repetition
from grader.learning.question import choose
from grader.learning.records import Records
from grader.learning.sitting_log import new_id
from grader.model import Attempt, Bank, Item, Sitting, by_name
from tests.content.test_bank_layout import ABOUT, TENSORS, item, laid_out, part
from tests.support.common import ROOT, Command

NAMED = ABOUT.replace("name: torch-grader", "name: mine")
NOW = datetime(2026, 11, 30, tzinfo=UTC)


def read(*homes: Path) -> Bank:
    return bank_files.read(bank_files.files(homes))


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Banks with the same files, one of which has a name."""
    return laid_out(tmp_path / "one", bank=None), laid_out(tmp_path / "other", bank=NAMED)


def test_a_bank_with_a_name_has_it_before_each_of_its_own_names(two: tuple[Path, Path]) -> None:
    bank = read(*two)
    assert bank.findings == ()
    assert [topic.name for topic in bank.topics] == ["tensors", "shapes", "mine:tensors", "mine:shapes"]
    assert [found.id for found in bank.items if found.topic == "mine:shapes"] == [
        "mine:axis", "mine:axis-again", "mine:wide",
    ]  # fmt: skip
    assert bank.members("mine:basics") == ("mine:tensors", "mine:shapes")
    assert bank.topics[3].needs == ("mine:tensors", "dtypes")
    assert {name for found in bank.items for name, _ in found.body.recognized()} == {
        name for own in ("too-much", "own", "sideways") for name in (own, f"mine:{own}")
    }
    assert set(bank.mistakes) == {name for own in ("too-much", "own", "sideways") for name in (own, f"mine:{own}")}
    units = {spaced_repetition.unit(found) for found in bank.items}
    assert {"skill/shapes/add-an-axis", "skill/mine:shapes/add-an-axis"} <= units
    origins = {found.topic.partition(":")[1]: found.origin for found in bank.items}
    assert origins == {"": "", ":": "A bank of mine, CC-BY-4.0"}


def test_the_name_counts_whatever_is_read_of_the_bank(two: tuple[Path, Path]) -> None:
    _, other = two
    assert [found.id for found in read(other / "quizzes/tensors.yaml").items] == ["mine:one"]
    assert bank_files.find_topic([*two], "mine:shapes") == (other, "mine:")
    assert bank_files.find_topic([*two], "shapes") == (two[0], "")
    assert bank_files.find_topic([other], "shapes") == (other, "mine:")
    (other / "bank.yaml").write_text(NAMED.replace("license", "licence"))
    assert [found.id for found in read(other / "quizzes/tensors.yaml").items] == ["mine:one"]


def test_two_banks_of_one_name_are_not_mixed(two: tuple[Path, Path], tmp_path: Path) -> None:
    bank = read(two[1], laid_out(tmp_path / "third", bank=NAMED))
    assert [finding.code for finding in bank.findings] == ["duplicate-id"]
    assert "are both called `mine`" in bank.findings[0].message
    assert len(bank.items) == 4
    assert {finding.code for finding in read(two[0], laid_out(tmp_path / "fourth", bank=None)).findings} == {
        "duplicate-id"
    }


def test_banks_are_given_by_folders_names_and_the_variable(
    two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, grader: Command
) -> None:
    assert bank_homes.every([two[1], Path("torch-grader")]) == [two[1], ROOT]
    monkeypatch.setenv("GRADER_BANK", os.pathsep.join(map(str, two)))
    assert bank_homes.every() == list(two)
    with pytest.raises(InputError, match="there is no quiz here"):
        bank_homes.every([Path("lineer")])
    done = grader("topics", "--bank", two[0], "--bank", two[1])
    assert (done.returncode, "mine:shapes: Shapes" in done.stdout, "\nshapes: Shapes" in done.stdout) == (0, True, True)
    done = grader("new", "item", "shapes", "x", "--bank", two[0], "--bank", two[1])
    assert (done.returncode, "give --bank once" in done.stderr) == (2, True)


def test_an_installed_bank_must_say_who_it_is_and_lie_where_no_program_can_read_it(
    two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Point:
        name = "mine"

        def __init__(self, found: object) -> None:
            self.found = found

        def load(self) -> object:
            if isinstance(self.found, Exception):
                raise self.found
            return lambda: self.found

    def installed(found: object) -> dict[str, Path]:
        bank_homes.installed.cache_clear()
        monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [Point(found)])
        try:
            return bank_homes.installed()
        finally:
            bank_homes.installed.cache_clear()

    assert installed(two[1]) == {"mine": two[1]}
    for wrong, said in (
        (two[0], "has no bank.yaml that says `name: mine`"),
        (two[1] / "quizzes", "has no quizzes"),
        (ValueError("no"), "does not say where it is: ValueError: no"),
    ):
        with pytest.raises(InputError, match=said):
            installed(wrong)
    monkeypatch.setattr("grader.runner.inside.sandbox.libraries", lambda system: [two[1].parent])
    with pytest.raises(InputError, match="programs of learners can read this folder"):
        installed(two[1])


# ---------------------------------------------------------------- ids of before


def attempt(name: str, variant: int = 0) -> Attempt:
    text = dict.fromkeys(("sitting", "params", "torch", "bank", "digest"), "")
    return Attempt(
        **text, id=new_id(), learner="me", place=0, tries=0, mode="practice", at=NOW, topic="tensors", item=name,
        kind="number", level="easy", skill="plain", variant=variant, response="4", outcome="incorrect", points=0.0,
        mistake="too-much", hints=0, seconds=1.0, unit="skill/tensors/plain", early=False, card=None, choice=None,
    )  # fmt: skip


def test_what_is_on_record_of_a_renamed_item_is_its_own(tmp_path: Path) -> None:
    renamed = TENSORS.replace("id: one,", "id: new, aliases: [oldest, one],")
    bank = read(laid_out(tmp_path / "bank", bank=None, quizzes__tensors=renamed))
    found = by_name(bank.items)["one"]
    assert (found.id, found.first_id) == ("new", "oldest")
    with Records(f"sqlite:///{tmp_path}/records.sqlite") as store:
        sitting = Sitting(new_id(), "me", "tensors", "practice", NOW, (("one", 0),))
        store.begin(sitting)
        from dataclasses import replace

        assert store.add(lambda _: replace(attempt("one"), sitting=sitting.id), "me", "skill/tensors/plain")
        assert former_ids.seen(store, "me", bank.items) == {"new": {0}}
        assert former_ids.standing(store, "me", bank.items, [])[0] == {"new"}
        assert planning.progress(bank, "tensors", "me", store, NOW).answered == 1
        later = Sitting(new_id(), "me", "tensors", "practice", NOW + timedelta(1), (("new", 0),))
        earlier = store.earlier(later, (found.id, *found.aliases), 0)
        assert earlier is not None
        assert earlier.item == "one"


def test_chance_draws_by_the_first_id(tmp_path: Path) -> None:
    def with_numbers(name: str) -> Item:
        text = part(item("one").replace("program: x = 2 + 1", "params: {a: [1, 2, 3, 4, 5]}, program: x = 2 + a"))
        changed = text.replace("id: one,", name)
        home = laid_out(tmp_path / name.replace(" ", ""), bank=None, quizzes__shapes__wide=None)
        (home / "quizzes/shapes/wide.yaml").write_text(changed + "mistakes: {sideways: {says: So.}}\n")
        return next(found for found in read(home).items if len(found.variants) == 5)

    was, now = with_numbers("id: wide,"), with_numbers("id: renamed, aliases: [wide],")
    assert [was.variant(seed).index for seed in range(20)] == [now.variant(seed).index for seed in range(20)]


def test_an_alias_is_nobody_else_s_id(tmp_path: Path) -> None:
    bank = read(
        laid_out(tmp_path, bank=None, quizzes__tensors=TENSORS.replace("id: one,", "id: one, aliases: [wide],"))
    )
    assert [finding.code for finding in bank.findings] == ["duplicate-id"]
    assert "the alias `wide` is an id that is in use" in bank.findings[0].message


def test_a_retired_item_is_not_chosen(tmp_path: Path) -> None:
    retired = TENSORS.replace("id: one,", "id: one, retired: true,")
    bank = read(laid_out(tmp_path, bank=None, quizzes__tensors=retired))
    assert [found.id for found in bank.items if found.retired] == ["one"]
    assert choose(bank, "tensors", "practice", 5) == []
    assert [unit for unit in planning.units(bank, None, "me", NOW) if unit.items[0].topic == "tensors"] == []
