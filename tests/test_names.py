"""How instances are named, and which names a volume can have."""

import pytest

from dvidpc.names import Companion, companion_name, instance_name, may_be_instance_of, twin_name

NAMES = {("em", 0, 0): "em", ("em", 0, 3): "em_3", ("em", 2, 0): "em_c2", ("em", 2, 13): "em_c2_13"}


@pytest.mark.parametrize(("what", "name"), NAMES.items())
def test_an_instance_is_named_by_channel_and_scale(what: tuple[str, int, int], name: str) -> None:
    assert instance_name(*what) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, True) for name in NAMES.values()),
        *((companion_name("em", companion), True) for companion in Companion),
        (twin_name("em"), True),
        ("em_mesh", False),
        ("em_c2_meshes", False),
        ("em_0", False),
        ("em_c0", False),
        ("em_01", False),
        ("em_1_c2", False),
        ("em_", False),
        ("em1", False),
        ("e", False),
        ("xem", False),
        ("em_1x", False),
    ],
)
def test_only_such_names_belong_to_a_volume(name: str, expected: object) -> None:
    assert may_be_instance_of(name, "em") is expected
