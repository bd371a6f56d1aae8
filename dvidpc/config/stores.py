"""Reads the `[store.<alias>]` tables and checks that the names of their instances are distinct."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from dvidpc.config.array_keys import check_array_keys
from dvidpc.config.reading import Reading, closest, keys_of, read_section, refuse_unknown
from dvidpc.config.store_section import StoreConfig
from dvidpc.config.store_values import ENGINES
from dvidpc.config.values import describe
from dvidpc.errors import ConfigError
from dvidpc.names import may_be_instance_of
from dvidpc.storage.ref import Kind, Ref
from dvidpc.storage.ref_formats import N5, PRECOMPUTED, ZARR, split_format

_MEANT = {
    "neuroglancer-precomputed": PRECOMPUTED,
    "neuroglancer_precomputed": PRECOMPUTED,
    "ngff": ZARR,
    "ome-zarr": ZARR,
    "ome_zarr": ZARR,
    "omezarr": ZARR,
    "zarr2": ZARR,
    "zarr3": ZARR,
    "z5": N5,
}
"""Names that people give to our engines, but which the files do not have."""
_OTHER_ENGINES = frozenset(
    {
        "badger",
        "basholeveldb",
        "basholeveldb2",
        "bigtable",
        "filelog",
        "filestore",
        "gbucket",
        "kvautobus",
        "leveldb",
        "swift",
    }
)
_EXAMPLE = '[store.mystorage] with engine = "ngprecomputed", ref and instance'


def read_stores(tables: Mapping[str, object], reading: Reading) -> tuple[StoreConfig, ...]:
    """Read the stores of volumes, in the order of the file; add a note for stores of other engines.

    Raises:
        ConfigError: A store is wrong, two have the same instance, or none is a volume.
    """
    stores = []
    for alias, value in tables.items():
        place = f"[store.{alias}]"
        if not isinstance(value, dict):
            raise reading.error(
                f"[store] {alias}",
                "is not in a table of its own; write it below a line such as [store.mystorage]",
            )
        table: Mapping[str, object] = value
        if _engine_of(table, reading, place) in ENGINES:
            stores.append(_read_store(alias, table, reading))
    if not stores:
        raise reading.error("[store]", f"no volume to serve; write {_EXAMPLE}")
    _check_instances(stores, reading)
    _check_syncs(stores, reading)
    return tuple(stores)


def _read_store(alias: str, table: Mapping[str, object], reading: Reading) -> StoreConfig:
    """Read one store; its `ref` gets the `root` that the file names."""
    place = f"[store.{alias}]"
    refuse_unknown(table, keys_of(StoreConfig), reading, place)
    store = read_section(StoreConfig, table, reading, place, alias=alias)
    check_array_keys(store, reading, place)
    if store.root is None:
        return replace(store, ref=_with_parents(store.ref)) if store.engine == N5 else store
    try:
        return replace(store, ref=store.ref.with_root(store.root))
    except ConfigError as e:
        raise reading.error(f"{place} root", f"{e}; write a root that contains ref, or remove it") from None


def _with_parents(ref: Ref) -> Ref:
    """Return a ref whose root lies two directories above it: N5 inherits attributes from there."""
    if ref.kind is not Kind.FILE:
        return ref
    return ref.with_root(replace(ref.root, prefix=posixpath.dirname(ref.root.prefix)))


def _engine_of(table: Mapping[str, object], reading: Reading, place: str) -> str:
    """Return the store's engine; add a note or a warning if such stores are ignored."""
    engine = table.get("engine")
    advice = f'write engine = "{_likely_engine(table)}"'
    if engine is None:
        near = closest("engine", table)
        found = f'found "{near}"' if near else "every store needs one"
        raise reading.error(f"{place} engine", f"is missing, {found}; {advice}")
    if not isinstance(engine, str) or not engine:
        raise reading.error(f"{place} engine", f"expected a string, got {describe(engine)}; {advice}")
    if engine in ENGINES:
        return engine
    near = _MEANT.get(engine.lower()) or closest(engine, ENGINES)
    if engine not in _OTHER_ENGINES and near:
        raise reading.error(f"{place} engine", f'unknown engine "{engine}"; did you mean "{near}"?')
    if engine in _OTHER_ENGINES:
        reading.note(
            f'{place} of engine "{engine}" is not needed: only {", ".join(ENGINES)} stores are read; ignored'
        )
    else:
        reading.warn(f'{place} engine: unknown engine "{engine}", the store is ignored')
    return engine


def _likely_engine(table: Mapping[str, object]) -> str:
    """Return the engine for the format that a store's `ref` names; precomputed if it names none."""
    try:
        _, named = split_format(str(table.get("ref", "")))
    except ConfigError:
        return PRECOMPUTED
    return named.engine if named else PRECOMPUTED


def _check_instances(stores: Iterable[StoreConfig], reading: Reading) -> None:
    """Refuse two stores with one instance; warn of a store without one, or with the name of a scale."""
    owners: dict[str, str] = {}
    for store in stores:
        place = f"[store.{store.alias}]"
        if store.instance is None:
            reading.warn(f'{place} has no instance and is not served; write for example instance = "sample1"')
        elif store.instance in owners:
            first = owners[store.instance]
            raise reading.error(
                f"{place} instance",
                f'"{store.instance}" is already the instance of [store.{first}]; rename one of them',
            )
        else:
            owners[store.instance] = store.alias
    for instance, alias in owners.items():
        for base, other in owners.items():
            if instance != base and may_be_instance_of(instance, base):
                reading.warn(
                    f'[store.{alias}] instance: "{instance}" is also the name of a scale of [store.{other}] '
                    "if that volume has enough scales; rename one of them"
                )


def _check_syncs(stores: Sequence[StoreConfig], reading: Reading) -> None:
    """Refuse a `sync` that is not the instance of another store; its metadata tell whether it is labels."""
    for store in stores:
        known = [other.instance for other in stores if other.instance is not None and other is not store]
        if store.sync is not None and store.sync not in known:
            near = closest(store.sync, known) or (known[0] if known else "segmentation")
            raise reading.error(
                f"[store.{store.alias}] sync",
                f'"{store.sync}" is not the instance of another store; write for example sync = "{near}"',
            )
