"""Any TOML document loads or is refused in one line; hypothesis makes the documents."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.config import StoreConfig, load_config, read_config
from dvidpc.config.reading import keys_of
from dvidpc.errors import ConfigError
from tests.config.test_sections import SECTIONS

TOML_VALUES = st.recursive(
    st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["s3://b", "ngprecomputed", "em", "512MiB", ":80", "none", "chunk"])
    | st.dates()
    | st.times()
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)


def tables(section: type) -> st.SearchStrategy[dict[str, object]]:
    """Tables with mostly known keys and any values."""
    keys = st.sampled_from(sorted(keys_of(section))) | st.text(max_size=8)
    return st.dictionaries(keys, TOML_VALUES, max_size=4)


GOOD_STORE = st.fixed_dictionaries({"engine": st.just("ngprecomputed"), "ref": st.just("s3://b")})


STORES = st.builds(lambda base, more: {**base, **more}, GOOD_STORE, tables(StoreConfig))


DOCUMENTS = st.fixed_dictionaries(
    {"store": st.dictionaries(st.text(max_size=8), STORES, min_size=1, max_size=3) | TOML_VALUES},
    optional={
        **{name: tables(section) | TOML_VALUES for name, section in SECTIONS.items() if "." not in name},
        "auth": st.dictionaries(st.sampled_from(["enforce", "no_enforce", "proxy_address"]), TOML_VALUES),
        "backend": TOML_VALUES,
        "whatever": TOML_VALUES,
    },
)


def said_of(document: dict[str, object]) -> tuple[str, ...]:
    """Return what reading *document* reports: one error, or notes and warnings."""
    try:
        config = read_config(document, Path("dir\nname/config.toml"))
    except ConfigError as e:
        return (str(e),)
    return config.notes + config.warnings


@given(DOCUMENTS)
def test_any_document_loads_or_is_refused_in_one_line(document: dict[str, object]) -> None:
    assert all(text.isprintable() for text in said_of(document))


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).isprintable()
