"""How tests draw volumes: many at a time, because each server they are read from takes a second to start."""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

_VARIABLE = "DVIDPC_DRAWS"


def drawing(
    one: SearchStrategy[Any], *, default: int, together: int
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the decorator of a test that takes *together* drawn volumes and a size of the caches.

    `DVIDPC_DRAWS` says how many volumes are drawn in all, at random.

    Args:
        one: Draws a volume.
        default: How many are drawn without that variable, the same ones each time.
        together: How many are served at a time.
    """
    draws = int(os.environ.get(_VARIABLE, str(default)))
    choose = settings(
        max_examples=-(-draws // together),
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a volume is small as drawn, and shrinking several takes minutes
        derandomize=_VARIABLE not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    volumes = st.lists(one, min_size=together, max_size=together)
    return lambda test: choose(given(volumes, st.sampled_from(["0", "512MiB"]))(test))
