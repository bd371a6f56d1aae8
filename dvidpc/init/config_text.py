"""Write the configuration that serves volumes: bare for `dvidpc serve`, commented for `dvidpc init`."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from dvidpc.config import Address, UnixAddress
from dvidpc.init.looking import SeenVolume
from dvidpc.init.volume_arguments import NamedVolume
from dvidpc.log.escaping import one_line
from dvidpc.sources.plan import VolumePlan
from dvidpc.sources.scale_plan import times
from dvidpc.storage.ref_formats import PRECOMPUTED

_BARE = re.compile(r"[A-Za-z0-9_-]+")
"""A key that needs no quotes in TOML."""

_HEAD = """\
# Written by `dvidpc init`, ready to edit. "#" turns a line off.
#   dvidpc check FILE    says how the volumes are served, what is wrong, and how to fix it
#   dvidpc serve FILE    serves them
# docs/configuration.md lists every key with its default.

[server]
# host:port. ":8000" listens on every interface, "unix:/run/dvidpc.sock" on a socket for a proxy.
httpAddress = {address}
# Web pages that may read, besides those of this machine. Every page may read a store that is `anonymous`.
# ["*"]: every page may read everything.
#corsDomains = ["https://neuroglancer-demo.appspot.com"]
# HTTPS without a proxy: the certificate and its key.
#tls_cert = "/etc/dvidpc/cert.pem"
#tls_key = "/etc/dvidpc/key.pem"

[repo]
# What clients show, and the UUID they know: 32 hex digits. Without one it is derived from the first ref.
#alias = ""
#uuid = ""
"""

_KEYS = """\
engine = {engine}
# The directory of the volume: of its `info`, or of the group or array.
ref = {ref}
# The data name of the finest scale.
instance = {instance}
# true: requests are not signed, for public buckets; every web page may read the volume.
{anonymous}
"""
_IMAGE_KEYS = """\
# The side of a block in voxels. "chunk": as large as the chunks, as in DVID.
#block_size = 64
"""
_ANNOTATION_KEYS = """\
# The data name of the segmentation that they belong to; only needed if there are several.
#sync = "segmentation"
"""
_LABEL_KEYS = """\
# "labelmap", "labelblk" or "both"; see docs/clients.md for NeuTu.
#label_type = "labelmap"
"""


def bare_text(volumes: Iterable[NamedVolume], address: Address, *, is_open: bool) -> str:
    """Return the configuration that serves *volumes*.

    Args:
        volumes: What to serve.
        address: Where to listen.
        is_open: Whether every web page may read.
    """
    parts = [f"[server]\nhttpAddress = {_quote(str(address))}\n"]
    if is_open:
        parts.append('corsDomains = ["*"]\n')
    for one in volumes:
        engine = one.ref.format.engine if one.ref.format else PRECOMPUTED
        parts.append(f'\n{_heading(one.instance)}\nengine = "{engine}"\nref = {_quote(one.ref.text)}\n')
        parts.append(f"instance = {_quote(one.instance)}\nanonymous = {str(one.anonymous).lower()}\n")
    return "".join(parts)


def commented_text(seen: Sequence[SeenVolume], address: Address | UnixAddress) -> str:
    """Return a configuration that serves the volumes *seen*, with what was found and the keys to change."""
    parts = [_HEAD.format(address=_quote(str(address)))]
    for one in seen:
        store = one.store
        keys = _KEYS.format(
            engine=_quote(store.engine),
            ref=_quote(store.ref.text),
            instance=_quote(store.instance or ""),
            anonymous="anonymous = true" if store.anonymous else "#anonymous = false",
        )
        parts.append(f"\n{_describe(one.plan)}{_heading(store.alias)}\n{keys}{_more_keys(one.plan)}")
    return "".join(parts)


def _more_keys(plan: VolumePlan) -> str:
    if plan.collection is not None:
        return _ANNOTATION_KEYS
    return _LABEL_KEYS if plan.label_types else _IMAGE_KEYS


def _describe(plan: VolumePlan) -> str:
    return "".join(f"# {one_line(line)}\n" for line in _facts(plan))


def _facts(plan: VolumePlan) -> Iterator[str]:
    """Yield what the comments above a store say."""
    if plan.collection is not None:
        yield f"{plan.name}: {plan.collection.description}"
    elif plan.channels:
        data_type = plan.channels[0].data_type.value
        yield f"{'A segmentation' if plan.label_types else 'An image'} of {data_type}:"
    for scale in plan.scales:
        for shown in plan.instances_of(scale):
            extent = f"{times(scale.box.size)} voxels of {times(scale.resolution_nm)} nm"
            yield f"  {shown.name}: {extent}, stored as {scale.stored.stored_as}, served {shown.served_how}"
    for companion in plan.companions:
        yield f"  {companion.name}: {companion.companion.value}"
    for refused in plan.problems:
        yield f"Not served: scale {refused.level}: {refused.reason}"
    for warning in plan.warnings:
        yield f"Mind: {warning}"


def _heading(alias: str) -> str:
    return f"[store.{alias if _BARE.fullmatch(alias) else _quote(alias)}]"


def _quote(text: str) -> str:
    """Return *text* as a TOML string; JSON's escapes are TOML's too."""
    return json.dumps(text, ensure_ascii=False)
