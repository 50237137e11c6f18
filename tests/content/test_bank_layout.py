"""What a bank is made of: topics in a file or in a folder, shared mistakes, blocks; and what is said where it does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from grader.content import bank_files, yaml_source
from grader.content.yaml_source import parse as parse_yaml
from grader.model import Bank
from tests.support.common import Command

ITEM = """\
- {id: NAME, kind: number, level: LEVEL, skill: SKILL, stem: How much?, program: x = 2 + 1, answer: x,
   mistakes: [{mistake: MISTAKE, yields: x + 1}], solution: ["{x}"]}
"""
SHARED = "format: 1\nmistakes:\n  too-much: {says: That is one too much., family: counting}\n"
ABOUT = """\
format: 1
name: torch-grader
title: A bank of mine
license: CC-BY-4.0
authors: [Ada, Grace]
torch: ">=2.9"
blocks:
- {name: basics, title: The basics, topics: [tensors, shapes, indexing]}
"""
HEAD = """\
format: 1
topic: shapes
title: Shapes and broadcasting
order: 2
needs: [tensors, dtypes]
objectives: [Foretell the shape of a result.]
minutes: 40
skills: {add-an-axis: add an axis, broadcast: foretell a broadcast shape}
mistakes:
  own: {says: The topic's own.}
"""


def item(name: str, mistake: str = "too-much", skill: str = "add-an-axis", level: str = "easy") -> str:
    return ITEM.replace("NAME", name).replace("MISTAKE", mistake).replace("SKILL", skill).replace("LEVEL", level)


def part(*items: str, topic: str = "shapes", more: str = "") -> str:
    return f"format: 1\ntopic: {topic}\nitems:\n{''.join(items)}{more}"


TENSORS = part(item("one", skill="plain"), topic="tensors").replace("items:", "title: Tensors\norder: 1\nitems:")


def laid_out(folder: Path, **changed: str | None) -> Path:
    """A bank with a topic in a file and one in a folder; `changed` by names of files, `__` for `/`."""
    files = {
        "bank": ABOUT,
        "quizzes__mistakes": SHARED,
        "quizzes__tensors": TENSORS,
        "quizzes__shapes__topic": HEAD,
        "quizzes__shapes__axes": part(item("axis"), item("axis-again", "own")),
        "quizzes__shapes__wide": part(
            item("wide", "sideways", "broadcast"), more="mistakes: {sideways: {says: The other way.}}\n"
        ),
        **changed,
    }
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_text(text)
    return folder


def read(home: Path) -> Bank:
    return bank_files.read(bank_files.files([home]))


def said(bank: Bank, home: Path) -> list[str]:
    return [str(finding).replace(f"{home}/", "") for finding in bank.findings]


# ---------------------------------------------------------------- what is read


def test_a_topic_in_a_folder_is_one_topic_and_is_proven(tmp_path: Path, grader: Command) -> None:
    bank = read(laid_out(tmp_path))
    assert said(bank, tmp_path) == []
    assert [(topic.name, [item.id for item in topic.items]) for topic in bank.topics] == [
        ("tensors", ["one"]),
        ("shapes", ["axis", "axis-again", "wide"]),
    ]
    shapes = bank.topics[1]
    assert (shapes.order, shapes.needs, shapes.minutes) == (2, ("tensors", "dtypes"), 40)
    assert shapes.skill("broadcast") == "foretell a broadcast shape"
    assert shapes.skill("other") == "other"
    assert bank.mistakes["too-much"].family == "counting"
    assert set(bank.mistakes) == {"too-much", "own", "sideways"}
    assert (bank.about.license, bank.about.authors, bank.about.lang) == ("CC-BY-4.0", ("Ada", "Grace"), "en")
    assert bank.members("basics") == ("tensors", "shapes")
    done = grader("verify", "--bank", tmp_path)
    assert (done.returncode, "4 items proven, 0 not, no findings" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("path", "items"),
    [
        ("quizzes/shapes/axes.yaml", 2),
        ("quizzes/shapes/wide.yaml", 1),
        ("quizzes/shapes", 3),
        ("quizzes", 4),
        ("quizzes/tensors.yaml", 1),
        ("quizzes/shapes/topic.yaml", 0),
        ("quizzes/mistakes.yaml", 0),
        ("bank.yaml", 0),
    ],
)
def test_each_file_can_be_proven_by_itself(path: str, items: int, tmp_path: Path, grader: Command) -> None:
    laid_out(tmp_path)
    done = grader("verify", tmp_path / path, "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["items"], report["proven"], report["findings"]) == (0, items, items, [])


def test_a_quiz_on_a_folder_is_asked_and_reads_no_other_topic(tmp_path: Path, grader: Command) -> None:
    laid_out(tmp_path, quizzes__tensors="broken: [")
    done = grader("quiz", "shapes", "--bank", tmp_path, "--json", stdin="3\n4\n3\n")
    assert done.stderr == ""
    results = json.loads(done.stdout)["results"]
    assert [(one["item"], one["mistake"]) for one in results] == [("axis", None), ("axis-again", "own"), ("wide", None)]
    assert results[1]["feedback"].startswith("The topic's own.")


def test_what_was_read_is_not_parsed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Memory(dict[str, str]):
        put = dict.__setitem__

    memory, files = Memory(), bank_files.files([laid_out(tmp_path)])
    first = bank_files.read(files, memory)
    assert (len(files), len(memory)) == (6, 8)  # each file, and each topic as it was built
    monkeypatch.setattr(yaml_source, "parse", lambda text, path: pytest.fail("parsed again"))
    assert bank_files.read(files, memory) == first
    assert bank_files.read(bank_files.of_topic(tmp_path, "shapes"), memory).topics == first.topics[1:]


# ---------------------------------------------------------------- topics and blocks


def test_topics_are_listed_by_block_and_order(tmp_path: Path, grader: Command) -> None:
    laid_out(tmp_path, quizzes__aside=TENSORS.replace("tensors", "aside").replace("id: one", "id: two"))
    done = grader("topics", "--bank", tmp_path, "--db", tmp_path / "none")
    assert done.stdout.splitlines() == [
        "The basics:   grader test basics",
        "tensors: Tensors",
        "  1 questions (1 easy) in 1 variants; by mode: practice 1, test 1",
        "  grader quiz tensors",
        "shapes: Shapes and broadcasting (40 minutes)",
        "  after: tensors, dtypes (not there yet)",
        "  3 questions (3 easy) in 3 variants; by mode: practice 3, test 3",
        "  skills: add an axis, foretell a broadcast shape",
        "  grader quiz shapes",
        "not there yet: indexing",
        "",
        "aside: Tensors",
        "  1 questions (1 easy) in 1 variants; by mode: practice 1, test 1",
        "  grader quiz aside",
    ]
    document = json.loads(grader("topics", "--bank", tmp_path, "--json").stdout)
    assert [(topic["topic"], topic["block"]) for topic in document["topics"]] == [
        ("tensors", "basics"),
        ("shapes", "basics"),
        ("aside", None),
    ]
    assert document["topics"][1]["skills"][0] == {"skill": "add-an-axis", "words": "add an axis", "items": 2}
    assert document["blocks"] == [
        {"block": "basics", "title": "The basics", "topics": ["tensors", "shapes", "indexing"]}
    ]
    assert document["bank"]["license"] == "CC-BY-4.0"


def test_a_block_is_tested_with_fifteen_questions_of_its_topics(tmp_path: Path, grader: Command) -> None:
    levels = ["easy", "medium", "hard"]
    many = {
        name: part(*(item(f"{name}-{n}", skill=f"{name}-skill", level=levels[n % 3]) for n in range(12)), topic=name)
        for name in ("tensors", "indexing", "aside")
    }
    files = {f"quizzes__{name}": text.replace("items:", f"title: {name}\nitems:") for name, text in many.items()}
    laid_out(tmp_path, **files)
    db = ("--bank", tmp_path, "--db", tmp_path / "records")
    done = grader("test", "basics", *db, "--json", "--seed", "1", stdin="3\n" * 9 + "q\n")
    document = json.loads(done.stdout)
    assert (document["questions"], document["ended"]) == (15, "stopped")
    again = json.loads(grader("test", "basics", *db, "--json", stdin="4\n" * 6).stdout)  # goes on where it was left
    asked = [one["item"] for one in again["results"]]
    assert len(set(asked)) == len(asked) == 15
    assert {name.partition("-")[0] for name in asked} >= {"tensors", "indexing"}
    assert not any(name.startswith("aside") for name in asked)
    assert again["verdict"]
    text = grader("test", "basics", *db, stdin="4\n" * 15).stdout
    assert "A test on The basics: 15 questions" in text
    assert "Practice: grader quiz basics" not in text
    assert grader("quiz", "basics", *db).returncode == 2  # a block is tested only
    assert "did you mean `basics`?" in grader("test", "basic", *db).stderr


def test_the_shipped_bank_says_what_it_is(bank: Bank) -> None:
    assert bank.about.name == "torch-grader"
    assert bank.about.license == "Apache-2.0"
    assert bank.members("learning") == ("optimizers", "schedulers", "warmup", "data", "training-loop")
    there = [topic.name for topic in bank.topics]
    assert there == [name for block in bank.about.blocks for name in block.topics if name in there]


# ---------------------------------------------------------------- what does not fit


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"bank": ABOUT.replace("license", "licence")}, "bank.yaml:4:1: bad-field: there is no field `licence` here"),
        ({"bank": "- 1"}, "bank.yaml:1:1: bad-field: bank.yaml is a mapping"),
        ({"bank": ABOUT.replace("name: basics", "name: shapes")}, "bank.yaml:8:10: duplicate-id: the block `shapes` is called as a topic is"),
        ({"bank": ABOUT.replace("name: basics", "name: all")}, "bank.yaml:8:10: bad-field: nothing can be called `all`: it means something else"),
        ({"bank": ABOUT + ABOUT.splitlines()[-1] + "\n"}, "bank.yaml:9:10: duplicate-id: there are two blocks `basics`"),
        ({"quizzes__mistakes": SHARED + "items: []\n"}, "quizzes/mistakes.yaml:4:1: bad-field: there is no field `items` here"),
        ({"quizzes__tensors": TENSORS.replace("topic: tensors", "topic: topics")}, "quizzes/tensors.yaml:2:8: bad-field: nothing can be called `topics`: it means something else"),
        ({"quizzes__shapes__wide": part(item("wide"), topic="shape")}, "quizzes/shapes/wide.yaml:2:8: bad-field: this file is of the topic `shape`, quizzes/shapes/topic.yaml of `shapes`"),
        ({"quizzes__lost__one": part(item("lost"), topic="lost")}, "quizzes/lost/one.yaml:1:1: bad-field: there is no topic.yaml beside this file"),
        ({"quizzes__shapes__topic": HEAD.replace("minutes: 40", "minutes: long")}, "quizzes/shapes/topic.yaml:7:10: bad-field: `minutes` is not what it should be ('long')"),
        ({"quizzes__shapes__topic": HEAD.replace("order: 2", "ordre: 2")}, "quizzes/shapes/topic.yaml:4:1: bad-field: there is no field `ordre` here"),
        ({"quizzes__shapes__wide": part(item("one"))}, "quizzes/shapes/wide.yaml:4:8: duplicate-id: the id `one` is taken: quizzes/tensors.yaml:6:8"),
        ({"quizzes__shapes__wide": part(item("wide"), more="mistakes: {too-much: {says: Other words.}}\n")}, "quizzes/shapes/wide.yaml:6:12: duplicate-id: the mistake `too-much` is described in another way at quizzes/mistakes.yaml:3:3"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)  # fmt: skip
def test_what_does_not_fit_is_told_and_the_rest_is_there(
    changed: dict[str, str], expected: str, tmp_path: Path, grader: Command
) -> None:
    bank = read(laid_out(tmp_path, **changed))
    assert said(bank, tmp_path) == [expected]
    assert all(finding.hint for finding in bank.findings)
    assert len(bank.items) >= 1
    done = grader("verify", "--bank", tmp_path)
    assert (done.returncode, expected.partition(": ")[0] in done.stdout) == (2, True)
    asked = "tensors" if "quizzes__shapes__topic" in changed else "shapes"
    assert grader("quiz", asked, "--bank", tmp_path, stdin="3\n").returncode == 0


def test_each_shape_has_a_schema(tmp_path: Path, grader: Command) -> None:
    files = {
        "TOPIC.yaml": TENSORS,
        "topic.yaml": HEAD,
        "part": part(item("a")),
        "mistakes.yaml": SHARED,
        "bank.yaml": ABOUT,
    }
    for name, text in files.items():
        schema = json.loads(grader("schema", "--of", name).stdout)
        validator = jsonschema.Draft202012Validator(schema)
        validator.check_schema(schema)
        data = parse_yaml(text, name).data
        assert not list(validator.iter_errors(data))
        assert list(validator.iter_errors(data | {"odd": 1}))


def test_a_new_item_goes_into_a_file_of_its_own_where_the_topic_is_a_folder(tmp_path: Path, grader: Command) -> None:
    laid_out(tmp_path)
    done = grader("new", "item", "shapes", "brand-new", "--bank", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "title" not in (tmp_path / "quizzes/shapes/brand-new.yaml").read_text()
    done = grader("verify", "--bank", tmp_path)
    assert (done.returncode, "5 items proven" in done.stdout) == (0, True)
    assert "there is an item `axis` already" in grader("new", "item", "shapes", "axis", "--bank", tmp_path).stderr
    (tmp_path / "quizzes/shapes/wide.yaml").rename(tmp_path / "quizzes/shapes/wider.yaml")
    (tmp_path / "quizzes/shapes/other.yaml").write_text(part())
    assert "this file is there already" in grader("new", "item", "shapes", "other", "--bank", tmp_path).stderr
