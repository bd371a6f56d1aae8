"""SWC: every line is one that neuroglancer reads, and the graph is the one that went in."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.formats.dvid.swc import encode_swc, order_parents_first
from dvidpc.formats.precomputed.skeleton import Skeleton
from dvidpc.formats.precomputed.transforms import IDENTITY, Transform

_FLOAT = r"(-?\d*(?:\.\d+)?)"
NEUROGLANCER = re.compile(
    rf"[ \t]*(\d+)[ \t]+(\d+)[ \t]+{_FLOAT}[ \t]+{_FLOAT}[ \t]+{_FLOAT}[ \t]+{_FLOAT}[ \t]+(-1|\d+)[ \t]*",
    re.ASCII,
)
"""The pattern of neuroglancer's src/skeleton/decode_swc_skeleton.ts; it drops a line that does not match."""

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def skeletons(draw: st.DrawFn) -> Skeleton:
    count = draw(st.integers(1, 12))
    ends = st.integers(0, count - 1)
    edges = draw(st.lists(st.tuples(ends, ends), max_size=20))
    positions = draw(st.lists(st.tuples(FLOATS, FLOATS, FLOATS), min_size=count, max_size=count))
    attributes: dict[str, np.ndarray[Any, np.dtype[Any]]] = {}
    if draw(st.booleans()):
        radii = draw(st.lists(FLOATS, min_size=count, max_size=count))
        attributes["radius"] = np.array(radii, np.float32).reshape(-1, 1)
    if draw(st.booleans()):
        types = draw(st.lists(st.integers(-128, 127), min_size=count, max_size=count))
        attributes["compartment"] = np.array(types, np.int8).reshape(-1, 1)
    return Skeleton(np.array(positions, np.float32), np.array(edges, np.uint32).reshape(-1, 2), attributes)


def components(count: int, edges: list[tuple[int, int]]) -> list[int]:
    """The smallest vertex of each vertex's component, found by flooding."""
    root = list(range(count))
    for _ in range(count):
        for a, b in edges:
            root[a] = root[b] = min(root[a], root[b])
    return root


@given(skeletons())
def test_every_line_is_read_and_every_component_is_a_tree(skeleton: Skeleton) -> None:
    count = len(skeleton.vertices)
    text = encode_swc(skeleton, IDENTITY, (4, 8, 40)).decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert text.endswith("\n")
    assert "\r" not in text
    matches = [NEUROGLANCER.fullmatch(line) for line in lines]
    assert all(matches)
    order, parents = order_parents_first(count, skeleton.edges)
    assert sorted(order) == list(range(count))
    assert [int(line.split()[0]) for line in lines] == list(range(1, count + 1))
    assert [int(line.split()[6]) for line in lines] == parents
    written = {frozenset(edge) for edge in skeleton.edges.tolist()}
    kept = []
    for number, parent in enumerate(parents):
        assert parent == -1 or parent <= number
        if parent != -1:
            kept.append((order[number], order[parent - 1]))
            assert frozenset(kept[-1]) in written
    edges = [(a, b) for a, b in skeleton.edges.tolist()]
    assert components(count, kept) == components(count, edges)
    assert [order[n] for n, parent in enumerate(parents) if parent == -1] == sorted(
        set(components(count, edges))
    )
    assert len(kept) == count - parents.count(-1)
    for line, vertex in zip(lines, order, strict=True):
        expected = skeleton.vertices[vertex].astype(np.float64) / (4, 8, 40)
        assert np.allclose([float(each) for each in line.split()[2:5]], expected, atol=1e-6)


def test_a_forest_keeps_every_edge() -> None:
    edges = np.array([(5, 4), (4, 3), (1, 0), (2, 4)], np.uint32)
    assert order_parents_first(6, edges) == ([0, 1, 2, 4, 3, 5], [-1, 1, -1, 3, 4, 4])


def test_a_cycle_loses_one_edge_and_a_loop_all() -> None:
    edges = np.array([(0, 1), (1, 2), (2, 0), (3, 3), (0, 1)], np.uint32)
    assert order_parents_first(4, edges) == ([0, 1, 2, 3], [-1, 1, 1, -1])


def test_a_long_path_takes_no_recursion() -> None:
    path = np.stack([np.arange(1, 50_000), np.arange(49_999)], 1).astype(np.uint32)
    order, parents = order_parents_first(50_000, path)
    assert order == list(range(50_000))
    assert parents[1:] == list(range(1, 50_000))


@pytest.mark.parametrize(("size", "lines"), [((8, 8, 8), 1), ((4, 4, 40), 2)])
def test_the_header_says_what_a_radius_means(size: tuple[float, float, float], lines: int) -> None:
    skeleton = Skeleton(np.array([(1e-7, -0.5, 1e9)], np.float32), np.zeros((0, 2), np.uint32), {})
    swc = encode_swc(skeleton, Transform((1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)), size).decode().splitlines()
    assert len(swc) == lines + 1
    assert f"voxels of {size[0]} x {size[1]} x {size[2]} nm" in swc[0]
    assert swc[-1] == f"1 0 0.000000 {-0.5 / size[1]:.6f} {1e9 / size[2]:.6f} 0.000000 -1"
