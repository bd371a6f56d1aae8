"""Reads the `[store.<alias>]` tables and checks that the names of their instances are distinct."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from dvidpc.config.reading import Reading, closest, keys_of, read_section, refuse_unknown
from dvidpc.config.store_section import StoreConfig
from dvidpc.config.values import describe
from dvidpc.errors import ConfigError
from dvidpc.names import may_be_instance_of

_OURS = "ngprecomputed"
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
    """Read the ngprecomputed stores, in the order of the file; add a note for stores of other engines.

    Raises:
        ConfigError: A store is wrong, two have the same instance, or none has the engine ngprecomputed.
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
        if _engine_of(table, reading, place) == _OURS:
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
    if store.root is None:
        return store
    try:
        return replace(store, ref=store.ref.with_root(store.root))
    except ConfigError as e:
        raise reading.error(f"{place} root", f"{e}; write a root that contains ref, or remove it") from None


def _engine_of(table: Mapping[str, object], reading: Reading, place: str) -> str:
    """Return the store's engine; add a note or a warning if such stores are ignored."""
    engine = table.get("engine")
    advice = f'write engine = "{_OURS}"'
    if engine is None:
        near = closest("engine", table)
        found = f'found "{near}"' if near else "every store needs one"
        raise reading.error(f"{place} engine", f"is missing, {found}; {advice}")
    if not isinstance(engine, str) or not engine:
        raise reading.error(f"{place} engine", f"expected a string, got {describe(engine)}; {advice}")
    if engine == _OURS:
        return engine
    if engine not in _OTHER_ENGINES and closest(engine, [_OURS]):
        raise reading.error(f"{place} engine", f'unknown engine "{engine}"; did you mean "{_OURS}"?')
    if engine in _OTHER_ENGINES:
        reading.note(f'{place} of engine "{engine}" is not needed: only {_OURS} stores are read; ignored')
    else:
        reading.warn(f'{place} engine: unknown engine "{engine}", the store is ignored')
    return engine


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
