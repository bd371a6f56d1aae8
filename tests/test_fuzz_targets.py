"""Every parser and decoder accepts arbitrary bytes or rejects them with a `DvidpcError`.

`make fuzz` runs the same targets for longer, guided by coverage.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS

CORPUS = Path(__file__).parent.parent / "fuzz" / "corpus"
SEEDS = {name: sorted(file.read_bytes() for file in (CORPUS / name).iterdir()) for name in TARGETS}


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """One of *seeds* with bytes changed, deleted, repeated or appended."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 64))
        match draw(st.sampled_from(["change", "cut", "double", "append"])):
            case "change":
                data[at : at + length] = draw(st.binary(min_size=1, max_size=16))
            case "cut":
                del data[at : at + length]
            case "double":
                data[at:at] = data[at : at + length]
            case _:
                data += draw(st.binary(max_size=64))
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_taken(name: str) -> None:
    for seed in SEEDS[name]:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_read_or_refused(name: str) -> None:
    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.one_of(st.binary(max_size=300), mutated(SEEDS[name])))
    def check(data: bytes) -> None:
        TARGETS[name](data)

    check()
