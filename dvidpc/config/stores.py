"""Reads the `[store.<alias>]` tables and checks that their instances can stand side by side."""

import re
from collections.abc import Iterable, Mapping

from dvidpc.config.reading import Reading, closest, keys_of, read_section, refuse_unknown
from dvidpc.config.sections import StoreConfig
from dvidpc.config.values import describe

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
_SCALE_NAME = re.compile(r"(.+)_[1-9][0-9]*")


def read_stores(tables: Mapping[str, object], reading: Reading) -> tuple[StoreConfig, ...]:
    """The ngprecomputed stores in the file's order; notes those of other engines.

    Raises:
        ConfigError: A store is wrong, two make the same instance, or none is of engine ngprecomputed.
    """
    stores = []
    for alias, value in tables.items():
        place = f"[store.{alias}]"
        if not isinstance(value, dict):
            raise reading.error(
                f"[store] {alias}", "is in no store; write it below a line such as [store.mystorage]"
            )
        table: Mapping[str, object] = value
        if _engine_of(table, reading, place) == _OURS:
            refuse_unknown(table, keys_of(StoreConfig), reading, place)
            stores.append(read_section(StoreConfig, table, reading, place, alias=alias))
    if not stores:
        raise reading.error("[store]", f"no volume to serve; write {_EXAMPLE}")
    _check_instances(stores, reading)
    return tuple(stores)


def _engine_of(table: Mapping[str, object], reading: Reading, place: str) -> str:
    """The store's engine; says so if it is one we pass over."""
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
    """Refuse two stores of one instance; warn where one is none, or could be a scale of another."""
    owners: dict[str, str] = {}
    for store in stores:
        place = f"[store.{store.alias}]"
        if store.instance is None:
            reading.warn(
                f'{place} has no instance and is served as nothing; write for example instance = "sample1"'
            )
        elif store.instance in owners:
            first = owners[store.instance]
            raise reading.error(
                f"{place} instance",
                f'"{store.instance}" is already that of [store.{first}]; give one another name',
            )
        else:
            owners[store.instance] = store.alias
    for instance, alias in owners.items():
        scale_name = _SCALE_NAME.fullmatch(instance)
        if scale_name and scale_name[1] in owners:
            other = owners[scale_name[1]]
            reading.warn(
                f'[store.{alias}] instance: "{instance}" is also the name of a scale of [store.{other}], '
                "if that has so many; better give one another name"
            )
