"""Has the fuzzer ask for what is there half of the time: by chance it would never name our one version."""

import os
from typing import Any

import schemathesis

UUID, DATA = os.environ["FUZZED_UUID"], os.environ["FUZZED_DATA"]
REAL = {
    "uuid": (UUID, UUID[:7], ":master"),
    "data": (DATA, f"{DATA}_1"),
    "type": ("uint8blk",),
    "name": ("master",),
}
NUMBERS = ("size", "offset", "block")
ALIGNED = ("64_64_64", "128_64_64", "-64_0_128")


@schemathesis.hook
def map_path_parameters(
    _context: schemathesis.HookContext, path_parameters: dict[str, Any]
) -> dict[str, Any]:
    """Replace some of what was drawn, by its length, so that what was found can be found again."""
    if not path_parameters:
        return path_parameters
    drawn = len("".join(map(str, path_parameters.values())))
    replaced = dict(path_parameters)
    for name, real in REAL.items():
        if name in replaced and drawn % 4:
            replaced[name] = real[drawn % len(real)]
    for place, name in enumerate(NUMBERS):
        if name in replaced and drawn % 2:
            replaced[name] = ALIGNED[(drawn // 2 + place) % len(ALIGNED)]
    if "span" in replaced and drawn % 3:
        replaced["span"] = str(drawn % 5)
    return replaced
