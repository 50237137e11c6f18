"""A class on the page for tests: somebody who joins it, and a walk through each page that only a class has."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable

from tests.support.page import Served, Tab

ITEM = "third-epoch-rate"

NOBODY = {"task": "0" * 32, "learner": "0" * 32, "link": f"{'0' * 32}.{'A' * 27}"}
"""Parts of addresses that look right and lead to nobody."""


def joined(page: Served, name: str, tab: Tab | None = None) -> Tab:
    """A new learner of the class, in a browser of their own."""
    assert page.site.classroom
    code = page.site.classroom.about.code
    tab = tab or page.tab(owner=False)
    tab.open(f"/join?code={code}")
    tab.post("/join", {"key": tab.key, "name": name, "code": code})
    assert tab.path == "/me", tab.text
    return tab


def field(tab: Tab, name: str) -> str:
    """What a field of this id holds."""
    found = re.search(rf'id="{name}"[^>]* value="([^"]*)"', tab.text)
    assert found, tab.text[:3000]
    return found[1]


def link_of(tab: Tab) -> str:
    """The path by which a learner comes back."""
    return field(tab.open("/me"), "link").partition("/back/")[2]


def given(owner: Tab, **fields: str) -> str:
    """A task that the class is given; its id."""
    owner.open("/tasks")
    owner.post("/tasks", {"key": owner.key, "title": "Week 1", "mode": "practice", "topic": "", "items": ITEM} | fields)
    assert owner.status == 200, owner.text
    return owner.path.rpartition("/")[2]


def walk_join(page: Served) -> None:
    tab = page.tab(owner=False)
    assert "Join the class spring" in tab.open("/join").text
    for wrong in ({"code": "wrong", "name": "Eve"}, {"name": " "}, {"name": "x" * 81}, {"name": "a\x1b[31m"}):
        tab.open(f"/join?code={page.site.classroom.about.code}")  # type: ignore[union-attr]
        fields = {"key": tab.key, "name": "Eve", "code": field(tab, "code")} | wrong
        assert tab.post("/join", fields).status in (400, 403)
    assert tab.open("/me").status == 403
    assert "Join the class" in tab.text
    joined(page, "Walt", tab)
    assert tab.open("/join").path == "/me", "in it already"


def walk_me(page: Served) -> None:
    assert "As <strong>Mia</strong>" in joined(page, "Mia").text
    assert page.tab().open("/me").path == "/class", "the owner"


def walk_back(page: Served) -> None:
    """The link brings its learner back, once the button is pressed; a link that was changed leads to nobody."""
    link = link_of(joined(page, "Bea"))
    other = page.tab(owner=False).open(f"/back/{link}")
    assert "Go on as Bea" in other.text
    assert page.tab(owner=False).open("/").status == 403, "to look is not to come back"
    other.post(f"/back/{link}", {"key": other.key})
    assert other.path == "/"
    assert "As <strong>Bea</strong>" in other.open("/me").text
    changed = link[:-1] + ("A" if link[-1] != "A" else "B")
    assert page.tab(owner=False).open(f"/back/{changed}").status == 404


def walk_task(page: Served) -> None:
    """One sitting, however often it is begun; it is listed on the first page."""
    task = given(page.tab(), items=f"{ITEM} warmup-purpose", due="2099-01-31T23:59")
    tab = joined(page, "Tia")
    assert "due 2099-01-31 23:59 UTC" in tab.open("/").text
    assert "2 questions" in tab.open(f"/task/{task}").text
    tab.post(f"/task/{task}", {"key": tab.key})
    first = tab.path
    tab.send("check", {"a.0": "B"})
    tab.open(f"/task/{task}").post(f"/task/{task}", {"key": tab.key})
    assert tab.path.rpartition("/")[0] == first.rpartition("/")[0]
    tab.send("solution").open(first.rpartition("/")[0])
    assert "Week 1" in tab.text
    assert "Once more" not in tab.text
    assert ">done<" in tab.open("/").text
    stranger = page.tab(owner=False).open(f"/task/{task}")
    assert f"/join?back=/task/{task}" in stranger.text


def walk_tasks(page: Served) -> None:
    owner = page.tab()
    for wrong in (
        {"title": ""},
        {"mode": "review"},
        {"items": ""},
        {"topic": "warmup"},
        {"items": "no-such-item"},
        {"due": "soon"},
    ):
        owner.open("/tasks")
        fields = {"key": owner.key, "title": "T", "mode": "test", "topic": "", "items": ITEM} | wrong
        assert owner.post("/tasks", fields).status in (400, 404)
    task = given(owner, title="A test", mode="test", topic="warmup", items="")
    assert f'href="/tasks/{task}"' in owner.open("/tasks").text
    tab = joined(page, "Theo").open(f"/task/{task}")
    assert "10 questions on Warmup strategies" in tab.text
    tab.post(f"/task/{task}", {"key": tab.key})
    assert "Question 1 of 10" in tab.text
    assert 'value="hint"' not in tab.text


def walk_class_task(page: Served) -> None:
    owner, tab = page.tab(), joined(page, "Ida")
    task = given(owner)
    tab.open(f"/task/{task}").post(f"/task/{task}", {"key": tab.key})
    tab.send("check", {"a.0": "A"})
    row = re.search(r">Ida</a></th>(.*?)</tr>", owner.open(f"/tasks/{task}").text)
    assert row
    assert re.findall(r"<td>(.*?)</td>", row[1])[0] == "1"
    assert field(owner, "link").endswith(f"/task/{task}")


def walk_class(page: Served) -> None:
    """The hardest question first, with the words of its commonest mistake; learners with what they did."""
    tab = joined(page, "Cleo").open(f"/q/{ITEM}")
    tab.begin("/t/warmup/practice")
    tab.send("check", {"a.0": "A"})
    owner = page.tab().open("/class")
    assert field(owner, "link").startswith(f"{page.url}/join?code=")
    assert re.search(r">Cleo</a></th><td>1</td>", owner.text)
    assert "commonest mistake" in owner.text


def walk_class_item(page: Served) -> None:
    owner = page.tab()
    tab = joined(page, "Ines").open(f"/q/{ITEM}")
    tab.post(f"/q/{ITEM}/report", {"key": tab.key, "v": "0", "text": "Two options hold.", "response": "B"})
    assert "Two options hold." in owner.open(f"/class/{ITEM}").text
    assert "Ines" not in owner.text, "no names"
    assert "Two options hold." in owner.open("/class").text


def walk_learner(page: Served) -> None:
    tab, owner = joined(page, "Lea"), page.tab()
    link = link_of(tab)
    path = re.search(r'href="(/learners/[0-9a-f]{32})">Lea<', owner.open("/class").text)
    assert path
    assert link in owner.open(path[1]).text
    assert owner.post(path[1], {"key": owner.key, "do": "clock", "clock": "9"}).status == 400
    owner.open(path[1]).post(path[1], {"key": owner.key, "do": "clock", "clock": "1.5"})
    assert '<option value="1.5" selected>' in owner.text
    assert owner.open(path[1]).post(path[1], {"key": owner.key, "do": "remove"}).status == 400
    owner.open(path[1]).post(path[1], {"key": owner.key, "do": "remove", "sure": "yes"})
    assert "Lea" not in owner.text
    assert owner.open(path[1]).status == 404
    assert page.tab(owner=False).open(f"/back/{link}").status == 404


def walk_answers(page: Served) -> None:
    joined(page, "=1+1").begin("/t/warmup/practice").send("check", {"a.0": "A"})
    rows = list(csv.DictReader(io.StringIO(page.tab().open("/class/answers.csv").text)))
    assert "'=1+1" in {row["name"] for row in rows}, "a formula is text"
    assert {row["max_points"] for row in rows} == {"1"}
    assert len({(row["student_id"], row["cell"]) for row in rows}) == len(rows)


def walk_questions(page: Served) -> None:
    rows = list(csv.DictReader(io.StringIO(page.tab().open("/class/questions.csv").text)))
    assert rows
    assert [float(row["points"]) for row in rows] == sorted(float(row["points"]) for row in rows)


def walk_membership(page: Served) -> None:
    assert json.loads(joined(page, "Moe").open("/data/class.json").text)["name"] == "Moe"


def walk_embed(page: Served) -> None:
    """Without cookies: what the form and the address hold is enough; nothing is on record."""
    tab = page.tab(owner=False)
    assert page.site.records
    before = len(list(page.site.records.attempts()))

    def forget() -> Tab:
        tab.client.cookies.clear()
        return tab

    tab.open(f"/embed/q/{ITEM}?v=0")
    assert not tab.client.cookies
    forget().send("hint")
    assert 'id="hint"' in tab.text
    forget().send("check", {"a.0": "B"})
    assert "You marked B" in tab.text
    assert "You marked B" in forget().open(tab.path).text
    assert "You marked B" not in tab.open(re.sub(r"who=[^&]*", "who=x", tab.path)).text, "of another guest"
    assert len(list(page.site.records.attempts())) == before
    assert "not run here for guests" in tab.open("/embed/q/write-the-factor").text


WALKS: dict[str, Callable[[Served], None]] = {
    name.removeprefix("walk_").replace("_", "-"): walk for name, walk in globals().items() if name.startswith("walk_")
}
