"""The demo's configuration, and the text that says what to try."""

from pathlib import Path
from urllib.parse import urlsplit

from dvidpc.demo.layouts import Layout

SEGMENTATION = "segmentation"
"""The name of the instance of the neurites."""

INDEX = "segmentation.index"
"""The directory of the label index of the neurites, in that of the image."""
SYNAPSES = "synapses"
"""The name of the instance of the synapses, and of their directory in that of the image."""

_INSTANCE = "em"

_CONFIG = """\
[server]
httpAddress = "{address}"
corsDomains = ["*"]

[repo]
alias = "demo"
description = "Made-up nervous tissue, as if imaged by an electron microscope at 8 nm"

[store.demo]
engine = "{engine}"
ref = "{ref}"
instance = "{instance}"

[store.neurites]
engine = "{engine}"
ref = "{ref}/{below}"
instance = "{segmentation}"
{index}
[store.synapses]
engine = "ngprecomputed"
ref = "{ref}/{synapses}"
instance = "{synapses}"
"""

_TRY_INDEX = """\
The segments with their sizes, and all voxels of one as runs:
  curl -s '{labels}/listlabels?sizes=true' -o sizes.bin
  curl -s '{labels}/sparsevol-by-point/256_256_130' -o runs.bin
"""

_INDEXED = """\
label_index = "{ref}/{index}"
"""

_GUIDE = """\
A made-up EM volume, its segmentation and its synapses are served at {url}

curl, in another terminal:
  curl -s '{url}/api/repos/info'
  curl -s '{data}/info'
  curl -s '{data}/specificblocks?blocks=2,2,1,3,2,1' -o blocks.bin
One block as a picture, its 64 slices one below the other:
  curl -s '{data}/subvolblocks/64_64_64/128_128_64' | tail -c +17 > block.jpg
A whole slice:
  curl -s '{data}/raw/xy/512_512/0_0_130/jpg' -o slice.jpg

The segment of a voxel, and a slice with a color for each segment:
  curl -s '{labels}/label/256_256_130'
  curl -s '{labels}/pseudocolor/xy/512_512/0_0_130' -o segments.png
{indexed}
The synapses in a box, those of a segment with their partners, and how many a segment has:
  curl -s '{connections}/elements/256_256_64/128_128_100'
  curl -s '{connections}/label/236?relationships=true'
  curl -s '{connections}_labelsz/count/236/PreSyn'

neuroglancer, as the source of an image layer and of a segmentation layer:
  dvid://{url}/{uuid}/{instance}
  dvid://{url}/{uuid}/{segmentation}

NeuTu, in its dialog for DVID servers:
  host          {host}
  port          {port}
  UUID          {uuid}
  grayscale     {instance}
  segmentation  {segmentation}
  synapse       {synapses}

Ctrl-C stops the server.
"""


def demo_config_text(directory: Path, address: str, layout: Layout = Layout.PRECOMPUTED) -> str:
    """Return the configuration that serves the volume in *directory*, absolute, at *address*, `host:port`."""
    ref = directory.as_uri()
    return _CONFIG.format(
        address=address,
        engine=layout.engine,
        ref=ref,
        instance=_INSTANCE,
        below=layout.segmentation,
        segmentation=SEGMENTATION,
        index=_INDEXED.format(ref=ref, index=INDEX) if layout.has_index else "",
        synapses=SYNAPSES,
    )


def demo_guide(base_url: str, uuid: str, layout: Layout = Layout.PRECOMPUTED) -> str:
    """Return what to try on a demo that is served at *base_url*. The curl commands can be pasted."""
    url = base_url.rstrip("/")
    parts = urlsplit(url)
    labels = f"{url}/api/node/{uuid}/{SEGMENTATION}"
    return _GUIDE.format(
        url=url,
        data=f"{url}/api/node/{uuid}/{_INSTANCE}",
        labels=labels,
        indexed=_TRY_INDEX.format(labels=labels) if layout.has_index else "",
        connections=f"{url}/api/node/{uuid}/{SYNAPSES}",
        uuid=uuid,
        instance=_INSTANCE,
        segmentation=SEGMENTATION,
        synapses=SYNAPSES,
        host=parts.hostname,
        port=parts.port or {"http": 80, "https": 443}[parts.scheme],
    )
