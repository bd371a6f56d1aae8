"""Checks that the keys of a store fit its format, and each other."""

from dataclasses import fields
from typing import Final

from dvidpc.config.reading import Reading
from dvidpc.config.store_section import StoreConfig
from dvidpc.storage.ref_formats import PRECOMPUTED, ZARR

_ARRAYS_ONLY: Final = ("type", "multiscale", "axes", "at", "resolution", "offset", "dimension_separator")
"""Keys that only arrays have: precomputed volumes say all that in their `info`."""


def check_array_keys(store: StoreConfig, reading: Reading, place: str) -> None:
    """Check the keys of one store against each other.

    Raises:
        ConfigError: The `ref` names another format than `engine`, or a key means nothing for this store.
    """
    named = store.ref.format
    if named is not None and named.engine != store.engine:
        raise reading.error(
            f"{place} engine", f'the ref names the format "{named.name}"; write engine = "{named.engine}"'
        )
    _check_scope(store, reading, place)
    separator = named.dimension_separator if named else None
    if separator and store.dimension_separator not in {None, separator}:
        raise reading.error(
            f"{place} dimension_separator", f'the ref says "{separator}"; remove one of the two'
        )
    if store.full and store.window is None:
        raise reading.error(
            f"{place} full",
            "there is no window, so voxels are served as they are stored; write for example "
            "window = [0, 4095], or remove full",
        )
    if store.window is not None and store.type == "segmentation":
        raise reading.error(
            f"{place} window", "is for images, and type is a segmentation; remove one of the two"
        )


def _check_scope(store: StoreConfig, reading: Reading, place: str) -> None:
    """Check that the store sets no key that its format does not have."""
    if store.engine == ZARR:
        return
    others = _ARRAYS_ONLY if store.engine == PRECOMPUTED else ("dimension_separator",)
    defaults = {one.name: one.default for one in fields(StoreConfig)}
    for key in others:
        if getattr(store, key) != defaults[key]:
            where = "zarr and n5 stores only; the info of a precomputed volume says it"
            scope = where if store.engine == PRECOMPUTED else "zarr stores only"
            raise reading.error(f"{place} {key}", f"is a key of {scope}; remove it")
