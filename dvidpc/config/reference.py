"""Generates the configuration reference from the types that read the configuration.

`python -m dvidpc.config.reference > docs/configuration.md` updates the page.
"""

import ast
import inspect
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING

from dvidpc.config import sections, store_section
from dvidpc.config.reading import keys_of
from dvidpc.config.values import Address, Kind

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_HEAD = """\
# Configuration

The configuration is a TOML file. A file written for DVID works unchanged. This page is generated from the
code that reads the file (`python -m dvidpc.config.reference`). `config.example.toml` has the same keys with
their defaults, ready to edit.

* Keys in `[server]`, `[logging]` and `[auth]` are DVID's and may be written in any case. An unknown key is a
  warning in `[server]` and `[logging]`, and an error everywhere else.
* Sizes are bytes, or text with a unit: `"512MiB"` (powers of 1024), `"2 GB"` (powers of 1000). Times are
  seconds.
* Relative paths start from the directory of the file. An empty string means the same as no key.
* DVID's sections without effect on a read-only server (`[backend]`, `[kafka]`, stores of other engines, ...)
  are ignored, and named in the log.
"""
_MIB = 1024**2
_GIB = 1024**3


def reference() -> str:
    """Return the page, in Markdown."""
    meanings = _meanings(inspect.getsource(sections)) | _meanings(inspect.getsource(store_section))
    shown: tuple[type[DataclassInstance], ...] = (
        store_section.StoreConfig,
        sections.ServerConfig,
        sections.LoggingConfig,
        sections.RepoConfig,
        sections.CacheConfig,
        sections.LimitsConfig,
        sections.MetricsConfig,
        sections.AuthConfig,
    )
    parts = [_HEAD, *(_section(section, meanings[section.__name__]) for section in shown)]
    return "\n".join(parts)


def _section(section: type["DataclassInstance"], meanings: dict[str, str]) -> str:
    title, _, words = (inspect.getdoc(section) or "").partition(":")
    title, _, more = title.partition(" with ")
    words = f"With {more}: {words.strip()}" if more else words.strip()
    defaults = {one.name: one.default for one in fields(section)}
    rows = [
        f"| `{key}` | {_default(kind, defaults[name])} | {_cell(meanings[name])} |"
        for key, (name, kind) in keys_of(section).items()
    ]
    words = words[:1].upper() + words[1:]
    return "\n".join(
        [f"## {title}\n", f"{words}\n", "| key | default | meaning |", "|---|---|---|", *rows, ""]
    )


def _meanings(source: str) -> dict[str, dict[str, str]]:
    """Return the string below each field, by class and field."""
    found: dict[str, dict[str, str]] = {}
    for made in ast.parse(source).body:
        if isinstance(made, ast.ClassDef):
            pairs = zip(made.body, made.body[1:], strict=False)
            found[made.name] = {
                field.target.id: " ".join(below.value.value.split())
                for field, below in pairs
                if isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            }
    return found


def _default(kind: Kind, value: object) -> str:
    """Return a default as it would be written in the file."""
    if value is MISSING:
        return f"required, such as `{kind.example}`"
    if value is None or value == "":
        return "unset"
    return f"`{_as_toml(kind, value)}`"


def _as_toml(kind: Kind, value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() if kind.example.endswith('B"') and value:
            unit, name = (_GIB, "GiB") if value % _GIB == 0 else (_MIB, "MiB")
            return f'"{value // unit}{name}"'
        case int() | float():
            return f"{value:g}" if isinstance(value, float) else str(value)
        case () if kind.example.startswith("{"):
            return "{}"
        case frozenset() | tuple():
            items = sorted(value, key=str)
            return f"[{', '.join(_as_toml(kind, item) for item in items)}]"
        case Path() | Address() | str():
            return f'"{value}"'
        case _:
            raise TypeError(f"no TOML for {value!r}")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())
