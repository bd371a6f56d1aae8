"""The plan of what lies beside a segmentation."""

from typing import NamedTuple

from dvidpc.names import Companion


class CompanionPlan(NamedTuple):
    """A data instance that belongs to a segmentation: its meshes, skeletons or annotations."""

    name: str
    companion: Companion
    directory: str
    """Where it lies, as the store knows it."""
