"""Names of an array's objects: which chunks they hold, and what is wrong with those that hold none."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from dvidpc.formats.arrays.bundle import METADATA_NAMES
from dvidpc.formats.arrays.chunk_keys import KeyEncoding
from dvidpc.formats.arrays.chunk_view import ChunkView
from dvidpc.formats.arrays.spec import ArraySpec
from dvidpc.types import ChunkCoord

_SEPARATORS: Final = ("/", ".")


@dataclass(frozen=True, slots=True)
class ArrayNames:
    """The names of the objects of one array, relative to its directory."""

    views: Sequence[ChunkView]
    """Its channels; at least one."""

    @property
    def spec(self) -> ArraySpec:
        """The array."""
        return self.views[0].level.spec

    def owners(self, name: str) -> list[tuple[int, ChunkCoord]]:
        """Return the first chunk that an object holds of each channel, with the number of the channel."""
        found = [(number, view.cell_at(name)) for number, view in enumerate(self.views)]
        return [(number, cell) for number, cell in found if cell is not None]

    def is_document(self, name: str) -> bool:
        """Return whether an object describes an array or a group."""
        return posixpath.basename(name) in METADATA_NAMES

    def is_foreign(self, name: str) -> bool:
        """Return whether an object has the name of a chunk beyond the array's end."""
        found = self.spec.keys.decode(name, len(self.spec.shape))
        return found is not None and not self._is_inside(found)

    def with_other_separator(self, name: str) -> tuple[str, str] | None:
        """Return the separator in the name of a chunk that is not read because of it, and the right name.

        Returns:
            None if something else is the matter with the name.
        """
        keys = self.spec.keys
        others = [one for one in _SEPARATORS if one != keys.separator]
        for other in (replace(keys, separator=one) for one in others):
            found = KeyEncoding.decode(other, name, len(self.spec.shape))
            if found is not None and len(found) > 1 and self._is_inside(found):
                return other.separator, keys.encode(found)
        return None

    def _is_inside(self, cell: tuple[int, ...]) -> bool:
        return all(i < n for i, n in zip(cell, self.spec.object_cells, strict=True))
