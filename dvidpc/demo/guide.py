"""The demo's configuration, and the text that says what to try."""

from pathlib import Path
from urllib.parse import urlsplit

_INSTANCE = "em"

_CONFIG = """\
[server]
httpAddress = "{address}"

[repo]
alias = "demo"
description = "Made-up nervous tissue, as if imaged by an electron microscope at 8 nm"

[store.demo]
engine = "ngprecomputed"
ref = "{ref}"
instance = "{instance}"
"""

_GUIDE = """\
A made-up EM volume is served at {url}

curl, in another terminal:
  curl -s '{url}/api/repos/info'
  curl -s '{data}/info'
  curl -s '{data}/specificblocks?blocks=2,2,1,3,2,1' -o blocks.bin
One block as a picture, its 64 slices one below the other:
  curl -s '{data}/subvolblocks/64_64_64/128_128_64' | tail -c +17 > block.jpg
A whole slice:
  curl -s '{data}/raw/xy/512_512/0_0_130/jpg' -o slice.jpg

neuroglancer, as the source of a layer:
  dvid://{url}/{uuid}/{instance}

NeuTu, in its dialog for DVID servers:
  host       {host}
  port       {port}
  UUID       {uuid}
  grayscale  {instance}

Ctrl-C stops the server.
"""


def demo_config_text(directory: Path, address: str) -> str:
    """Return the configuration that serves the volume in *directory*, absolute, at *address*, `host:port`."""
    return _CONFIG.format(address=address, ref=directory.as_uri(), instance=_INSTANCE)


def demo_guide(base_url: str, uuid: str) -> str:
    """Return what to try on a demo that is served at *base_url*. The curl commands can be pasted."""
    url = base_url.rstrip("/")
    parts = urlsplit(url)
    return _GUIDE.format(
        url=url,
        data=f"{url}/api/node/{uuid}/{_INSTANCE}",
        uuid=uuid,
        instance=_INSTANCE,
        host=parts.hostname,
        port=parts.port or {"http": 80, "https": 443}[parts.scheme],
    )
