"""Figures: from objects of a run to text and SVG, and back from the text."""

from __future__ import annotations

import itertools
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.model import DRAWS, Bars, Branch, Cells, Chart, Draw, Figure, Graph, Grid, Matrix, Node, Tree
from grader.render import (
    chart_svg,
    charts,
    figure_data,
    figure_svg,
    figure_text,
    figures,
    graph_layout,
    html_fragments,
    plots,
)
from grader.render.figure_data import NotAFigureError, figure_of, made


def figure(draw: Draw, value: Any, title: str = "A title") -> Figure:
    return made(draw, title, figure_of(draw, value))


def loss_of_two_layers() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    weight, bias = torch.ones(3, 2, requires_grad=True), torch.zeros(2, requires_grad=True)
    return ((torch.ones(4, 3) @ weight + bias).relu() ** 2).mean(), weight, bias


X = torch.arange(6.0).reshape(2, 3)
LOSS, WEIGHT, BIAS = loss_of_two_layers()
NET = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.Sequential(torch.nn.Linear(8, 10)))
SAMPLES: list[tuple[Draw, Any]] = [
    ("grid", {"x": X, "y": torch.tensor([10, 20, 30]), "flags": torch.tensor([[True], [False]])}),
    ("grid", [torch.tensor(3.0)]),
    ("grid", torch.arange(12).reshape(3, 2, 2)),
    ("grid", {f"t{number}": torch.randn(3, 4) for number in range(4)}),
    ("cells", {"x": X, "x.T": X.T}),
    ("cells", {"x": X, "column": X[:, 1], "copy": X[:, 1].clone()}),
    ("cells", {"w": torch.arange(24)[3::3]}),
    ("cells", {"b": BIAS.detach().expand(3, 2)}),
    ("graph", LOSS),
    ("graph", {"loss": LOSS, "w": WEIGHT, "b": BIAS}),
    ("tree", NET),
    ("bars", {"conv1": 80, "fc": 54_090, "bias": -0.25, "nothing": 0.0, "too much": float("inf")}),
    ("matrix", {"values": [[8, 2], [1, 9]], "rows": ["cat", "dog"], "columns": ["cat", "dog"], "down": "true"}),
    ("matrix", torch.softmax(torch.randn(10, 10), -1)),
]


@pytest.mark.parametrize(("draw", "value"), SAMPLES)
def test_a_figure_is_read_back_from_its_text_and_its_svg_is_well_formed(draw: Draw, value: Any) -> None:
    shown = figure(draw, value)
    text = figure_text.text(shown)
    assert text.isascii()
    assert figure_text.read(text) == shown
    assert [drawn for _, drawn in figures.parts(f"before\n{text}\nafter: it\n")] == [None, shown, None]
    assert max(map(len, text.splitlines())) <= figure_text.WIDTH
    for drawn in (figure_svg.svg(shown), figure_svg.image(shown)):
        root = ET.fromstring(drawn)
        assert root.get("role") == "img"
        assert (root.get("aria-label") or "").startswith("A title. ")
        wide = float(root.get("width") or 0)
        assert wide <= 2 * figure_svg.ROOM
        for box in root.iter("{http://www.w3.org/2000/svg}rect"):
            assert float(box.get("x") or 0) + float(box.get("width") or 0) <= wide
    assert "0x" not in text


def test_cells_say_which_entry_reads_which_place() -> None:
    (row,) = contents(figure("cells", {"x": X, "x.T": X.T})).rows
    assert row.memory == ("0.", "1.", "2.", "3.", "4.", "5.")
    assert [one.reads for one in row.readers] == [
        ("0,0", "0,1", "0,2", "1,0", "1,1", "1,2"), ("0,0", "1,0", "2,0", "0,1", "1,1", "2,1")
    ]  # fmt: skip
    assert row.readers[1].about == "shape (3, 2), strides (1, 3), offset 0"
    apart = contents(figure("cells", {"x": X, "copy": X[:, 1].clone()}))
    assert [len(one.readers) for one in apart.rows] == [1, 1]
    (row,) = contents(figure("cells", {"e": torch.tensor([10, 20]).expand(3, 2)})).rows
    assert row.readers[0].reads == (":,0", ":,1")
    (row,) = contents(figure("cells", {"part": torch.arange(9)[4::2]})).rows
    assert (row.first, row.readers[0].reads) == (4, ("0", "", "1", "", "2"))


def contents(shown: Figure) -> Cells:
    assert isinstance(shown.content, Cells)
    return shown.content


def test_a_graph_is_in_layers_and_names_what_it_is_given() -> None:
    graph = figure("graph", {"loss": LOSS, "w": WEIGHT, "b": BIAS}).content
    assert isinstance(graph, Graph)
    names = [node.name for node in graph.nodes]
    assert names[0] == "MeanBackward0 (loss)"
    assert {"AccumulateGrad (w)", "AccumulateGrad (b)"} <= set(names)
    depth = {place: number for number, layer in enumerate(graph.layers) for place in layer}
    assert all(depth[other] > depth[place] for place, node in enumerate(graph.nodes) for other in node.leads_to)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph whose steps lead to later ones."""
    count = draw(st.integers(1, 12))
    return Graph(tuple(
        Node(draw(st.text("abcXYZ", min_size=1, max_size=9)), tuple(sorted(draw(st.sets(st.integers(place + 1, count - 1))))))
        if place < count - 1 else Node("end")
        for place in range(count)
    ))  # fmt: skip


@given(graph=graphs())
def test_boxes_of_a_graph_do_not_overlap(graph: Graph) -> None:
    placed = graph_layout.layout(graph, [len(node.name) * 8 + 16 for node in graph.nodes])
    for layer in graph.layers:
        spans = sorted(
            (placed.boxes[place].left, placed.boxes[place].left + placed.boxes[place].width) for place in layer
        )
        assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))
    assert min(box.left for box in placed.boxes) >= -1e-6
    assert len(placed.edges) == sum(len(node.leads_to) for node in graph.nodes)
    assert figure_text.read(figure_text.text(Figure("graph", "", graph))) == Figure("graph", "", graph)


NAMES = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=40)


@given(st.dictionaries(NAMES, st.floats() | st.integers(-(10**18), 10**18), min_size=1, max_size=6))
def test_bars_and_matrices_of_any_names_are_read_back(named: dict[str, float]) -> None:
    try:
        shown = figure("bars", named)
    except NotAFigureError as refused:
        assert "look alike" in str(refused)
        return
    assert repr(figure_text.read(figure_text.text(shown))) == repr(shown)
    table = figure("matrix", {"values": [list(named.values())], "columns": list(named)})
    assert repr(figure_text.read(figure_text.text(table))) == repr(table)
    ET.fromstring(figure_svg.image(shown))


@given(
    st.lists(
        st.lists(st.lists(st.floats() | st.integers() | st.text("ab[]-", max_size=3), min_size=1, max_size=4), min_size=1, max_size=4),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_tables_of_anything_are_read_back(tables: list[list[list[Any]]]) -> None:
    shown = figure("grid", {f"table {number}": table for number, table in enumerate(tables)})
    read = figure_text.read(figure_text.text(shown))
    assert read is not None
    if "[" not in str(tables) or not any(re.search(r"[\[\]]", cell) for one in rows(shown) for cell in one):
        assert rows(read) == rows(shown)


def rows(shown: Figure) -> list[tuple[str, ...]]:
    assert isinstance(shown.content, tuple)
    return [row for grid in shown.content for row in grid.rows]


def test_marked_cells_stand_in_brackets() -> None:
    grids = (Grid("yours", (("1", "20"), ("3", "4")), frozenset([(0, 1)])), Grid("right", (("1", "2"), ("3", "4"))))
    assert figure_text.lines(grids) == [
        "yours      right",
        "-------    ------",
        " 1 [20]     1  2",
        " 3   4      3  4",
    ]
    shown = Figure("grid", "", grids)
    assert figure_text.read(figure_text.text(shown)) == shown
    assert "tgf-marked" in figure_svg.svg(shown)
    assert figure_svg.words(shown).endswith("1 of the entries differ.")


@pytest.mark.parametrize(
    ("draw", "value", "message"),
    [
        ("grid", torch.zeros(17, 2), "a figure has 1 to 16 rows, this one 17; draw a part of it"),
        ("grid", torch.zeros(1, 1, 1, 1), "a grid is a tensor of at most three dimensions, this has 4"),
        ("cells", torch.zeros(2), "cells are tensors by name, such as {'a': ..., 'b': ...}; this is a Tensor"),
        ("cells", {"x": [1]}, "cells are tensors by name, and one of these is not a tensor"),
        ("cells", {"x": torch.zeros(25)}, "a figure has 1 to 24 places, this one 25; draw a part of it"),
        ("cells", {"x": torch.zeros(0)}, "`x` has no entries"),
        ("graph", torch.zeros(2), "none of these tensors has a `grad_fn`: no graph was recorded"),
        ("graph", 3, "a graph is drawn of a tensor, or of tensors by name"),
        ("tree", "net", "a tree is drawn of a module, this is a str"),
        ("bars", {"a": "b"}, "'b' is not a number"),
        ("bars", {}, "bars are numbers by name, such as {'a': ..., 'b': ...}; this is a dict"),
        ("matrix", [1, 2], "a matrix has values in two dimensions"),
        ("matrix", {"values": [[1, 2]], "rows": ["a", "b"]}, "there are 2 by 2 labels for 1 by 2 values"),
        ("matrix", {"value": [[1]]}, "a matrix has values, rows, columns, down and across, not 'value'"),
        ("curve", {"loss": 3}, "a curve is a list of numbers, `loss` is a int"),
        ("pie", [1], "there is no figure 'pie'; it is one of grid, cells, graph, tree, bars, matrix, curve"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_line(draw: str, value: Any, message: str) -> None:
    with pytest.raises(NotAFigureError) as refused:
        figure_of(draw, value)
    assert str(refused.value) == message


def test_a_graph_without_end_is_refused() -> None:
    x = torch.ones(1, requires_grad=True)
    for _ in range(5000):
        x = x + 1
    with pytest.raises(NotAFigureError, match="1 to 40 steps"):
        figure_of("graph", x)


@pytest.mark.parametrize(
    "data", [None, 3, [[1]], [["a", [1], [2]]], "text", [["a", [7]]], [[0, ["1"], [["x", "", []]]]]]
)
@pytest.mark.parametrize("draw", DRAWS)
def test_data_that_has_not_the_form_makes_no_figure(draw: Draw, data: Any) -> None:
    """A child process may say anything."""
    try:
        shown = made(draw, "t", data)
    except NotAFigureError as refused:
        assert str(refused).startswith(f"this is not the data of a {draw}")
    else:
        assert isinstance(shown, Figure)


def test_text_of_a_program_is_escaped() -> None:
    named = {"<script>&\"'": torch.tensor([1])}
    for drawn in (figure_svg.svg(figure("grid", named, "<b>")), figure_svg.image(figure("grid", named, "<b>"))):
        assert "<script>" not in drawn
        assert "<b>" not in drawn


def test_the_function_for_lessons_gives_text_and_picture() -> None:
    shown = figures.figure("tree", NET, "The net")
    assert str(shown).splitlines()[0] == "Figure (tree): The net"
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert "prefers-color-scheme: dark" in bundle["image/svg+xml"]
    curve = figures.figure("curve", {"loss": [2.0, 1.0]}, "Loss")
    assert curve.chart is not None
    assert str(curve).startswith("Chart: Loss (step, value)\nloss: 2 1")


def test_each_color_of_an_image_can_be_read() -> None:
    """Text against paper and against the tint of boxes, lines against paper: as WCAG counts."""
    for colors in (figure_svg.LIGHT, figure_svg.DARK):
        for name in ("ink", "quiet"):
            assert contrast(colors[name], colors["paper"]) >= 7 - 2 * (name == "quiet")
            assert contrast(colors[name], colors["soft"]) >= 4.5
        for name in ("edge", "1", "2", "3"):
            assert contrast(colors[name], colors["paper"]) >= 3
        for name in ("1", "2", "3"):
            assert contrast(colors["ink"], mixed(colors[name], colors["paper"], 0.5)) >= 4.5


def mixed(over: str, under: str, share: float) -> str:
    parts = [(int(over[i : i + 2], 16) * share + int(under[i : i + 2], 16) * (1 - share)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(part):02x}" for part in parts)


def contrast(one: str, other: str) -> float:
    def light(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    first, second = light(one), light(other)
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


def test_forms_are_as_they_are_said() -> None:
    tree, bars, matrix = (figure(draw, value).content for draw, value in SAMPLES[10:13])
    assert tree == Tree((
        Branch(0, "", "Sequential", 170), Branch(1, "0", "Conv2d", 80), Branch(1, "1", "ReLU", 0),
        Branch(1, "2", "Sequential", 90), Branch(2, "0", "Linear", 90),
    ))  # fmt: skip
    assert isinstance(bars, Bars)
    assert bars.bars[0] == ("conv1", 80.0)
    assert matrix == Matrix(("cat", "dog"), ("cat", "dog"), ((8.0, 2.0), (1.0, 9.0)), "true", "")
    assert figure_data.entry("a b") == "ab"


def test_a_curve_may_have_places_of_its_own() -> None:
    drawn = figure("curve", {"x": [0.1, 0.2, 0.4, 0.8], "y": {"loss": [4, 2, 1, 3], "limit": [2, 2, 2, 2]}}, "Loss")
    chart = drawn.content
    assert isinstance(chart, Chart)
    assert figure_text.lines(chart) == ["step: 0.1 0.2 0.4 0.8", "loss: 4 2 1 3", "limit: 2 2 2 2"]
    assert charts.describe_curve((4, 2, 1, 3), "loss", "rate", chart.curves[0].at) == (
        "The loss falls from 4 (rate 0.1) to 1 (rate 0.4), then rises to 3 (rate 0.8)."
    )
    assert [row["step"] for row in charts.spec(chart)["data"]["values"]][:4] == [0.1, 0.2, 0.4, 0.8]
    svg = chart_svg.svg(chart)
    assert ">0.2<" in svg
    assert ">4<" in svg  # a tick of the y axis
    points = re.findall(r'<circle [^>]*cx="([\d.]+)"', svg)
    near, far = float(points[1]) - float(points[0]), float(points[3]) - float(points[2])
    assert far == pytest.approx(4 * near, rel=0.02)
    assert "0.1" in plots.plot(chart, 60)
    assert "<th" in html_fragments.table(chart)


@pytest.mark.parametrize(
    ("x", "said"), [([1, 2], "`x` has 2 places, and `loss` has 3 numbers"), ([1, 3, 2], "rises from each place")]
)
def test_places_that_do_not_fit_are_refused(x: list[float], said: str) -> None:
    with pytest.raises(NotAFigureError, match=said):
        figure_of("curve", {"x": x, "y": {"loss": [1, 2, 3]}})


def test_two_curves_may_be_called_x_and_y() -> None:
    drawn = figure("curve", {"x": [1, 2], "y": [3, 4]}).content
    assert isinstance(drawn, Chart)
    assert [(one.name, one.at) for one in drawn.curves] == [("x", ()), ("y", ())]
