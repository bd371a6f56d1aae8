"""The one rule by which the data instances of a volume are named."""

import re
from enum import StrEnum


class Companion(StrEnum):
    """What may lie beside a segmentation; each is an instance of its own, named after it."""

    MESHES = "meshes"
    SKELETONS = "skeletons"
    ANNOTATIONS = "annotations"


_COUNTS = "labelsz"
_SUFFIX = re.compile(
    rf"(?:_(?:(?:full_)?c[1-9][0-9]*|full|blk|{_COUNTS}|{'|'.join(Companion)}))?(?:_[1-9][0-9]*)?", re.ASCII
)


def instance_name(base: str, channel: int, level: int) -> str:
    """Return the name of one instance of the volume called *base*.

    The finest scale of the first channel has the volume's own name; `_c2` marks a further channel that has
    instances of its own, `_3` a coarser scale: `em`, `em_3`, `em_c2`, `em_c2_3`.

    Args:
        base: The `instance` key of the store.
        channel: Which channel the instance shows, from 0; 0 too where it shows all of them.
        level: Which scale, from 0 for the finest.
    """
    return base + (f"_c{channel}" if channel else "") + (f"_{level}" if level else "")


def twin_name(base: str) -> str:
    """Return the name under which the segmentation called *base* is served as `labelblk` too."""
    return f"{base}_blk"


def full_name(base: str) -> str:
    """Return the name under which the image called *base* is served unscaled, besides its 8-bit view."""
    return f"{base}_full"


def companion_name(base: str, companion: Companion) -> str:
    """Return the name of an instance that belongs to the segmentation called *base*."""
    return f"{base}_{companion}"


def counts_name(base: str) -> str:
    """Return the name of the instance that counts the annotations called *base*, as clients expect it."""
    return f"{base}_{_COUNTS}"


def may_be_instance_of(name: str, base: str) -> bool:
    """Whether a volume called *base* can have an instance called *name*."""
    return name.startswith(base) and _SUFFIX.fullmatch(name, len(base)) is not None
