"""Documents of public data sets with any value replaced: they are understood or refused, and nothing else."""

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvidpc.errors import ConfigError, FormatError
from dvidpc.formats.arrays.chunk_view import ChunkView
from dvidpc.formats.arrays.dialects import ArrayFormat, describe_volume, wanted_documents
from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.types import ChunkCoord
from tests.array_metadata import PUBLIC, Documents

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1,
    2,
    2**31,
    2**63,
    2**64,
    10**400,
    1e-300,
    1e300,
    -1e300,
    float("nan"),
    float("inf"),
    "",
    "x",
    "../..",
    "/",
    "nanometer",
    "\0",
    "\ud800",
    [],
    {},
    [[]],
    [0],
    [1e300] * 3,
    [2**40] * 3,
    ["x"] * 3,
    [{}] * 3,
    {"name": "x"},
]
SELECTIONS = [
    ArraySelection(),
    ArraySelection(axes="zyx"),
    ArraySelection(axes="czyx", at=(("c", 1),)),
    ArraySelection(resolution_nm=(4, 4, 40), ignore_offset=True),
    ArraySelection(multiscale="color"),
    ArraySelection(zarr_version=2),
]


def places(value: object, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to each value inside a document."""
    found = [above] if above else []
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, member in members:
        found += places(member, (*above, key))
    return found


@st.composite
def damaged(draw: st.DrawFn) -> tuple[ArrayFormat, Documents]:
    """A data set, one to three values of its documents replaced or left out."""
    name = draw(st.sampled_from(sorted(PUBLIC)))
    documents = {doc: None if data is None else json.loads(data) for doc, data in PUBLIC[name].items()}
    documents = copy.deepcopy(documents)
    for _ in range(draw(st.integers(1, 3))):
        chosen = draw(st.sampled_from(sorted(doc for doc, value in documents.items() if value)))
        way = draw(st.sampled_from(places(documents[chosen])))
        holder: Any = documents[chosen]
        for key in way[:-1]:
            holder = holder[key]
        if draw(st.booleans()):
            holder[way[-1]] = copy.deepcopy(draw(st.sampled_from(ODD)))
        else:
            del holder[way[-1]]
        if not documents[chosen]:
            break
    kind = ArrayFormat.N5 if any("attributes.json" in doc for doc in documents) else ArrayFormat.ZARR
    return kind, {
        doc: None if value is None else json.dumps(value).encode() for doc, value in documents.items()
    }


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(damaged(), st.sampled_from(SELECTIONS))
def test_they_are_understood_or_refused(
    documents: tuple[ArrayFormat, Documents], selection: ArraySelection
) -> None:
    kind, stored = documents
    known: dict[str, bytes | None] = {}
    try:
        while wanted := wanted_documents(kind, known, selection):
            known |= {name: stored.get(name) for name in wanted}
            assert len(known) < 300
        volume = describe_volume(kind, known, selection)
    except (FormatError, ConfigError):
        return
    assert volume.levels
    for level in volume.levels:
        view = ChunkView(level)
        corner = ChunkCoord(0, 0, 0)
        assert view.cell_at(view.key(corner)) == corner
        assert min(level.grid.size) >= 1
        assert all(0 < nm < float("inf") for nm in level.resolution_nm)
        assert all(abs(at) < 2**31 for at in level.grid.offset)
