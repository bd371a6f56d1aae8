"""What the commands of help and pages name: volumes, a bucket, a configuration, a browser."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dvidpc.demo import demo_directory, write_demo_volume
from dvidpc.types import Point
from tests.building import build, job_of
from tests.label_volumes import LabelScale, write_labels
from tests.servers import run_s3_server
from tests.volumes import VolumeSpec, write_volume

LABELS = np.arange(64**3, dtype=np.uint64).reshape(64, 64, 64) // 4096


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make what the examples name: volumes below `path/to`, the demo volume, a configuration, a browser."""
    directory = tmp_path_factory.mktemp("home")
    for name in ("volume", "image"):
        write_volume(directory / "path/to" / name, VolumeSpec(encoding="jpeg"))
    write_labels(directory / "path/to/labels", LabelScale(LABELS))
    cache = demo_directory({"XDG_CACHE_HOME": str(directory / "cache")})
    write_demo_volume(cache, lambda _: None, Point(70, 45, 33))
    (directory / "config.toml").write_text(
        '[server]\nhttpAddress = "localhost:0"\n'
        f'[cache]\ndisk = "64MiB"\ndisk_path = "{directory}/disk"\n'
        f'[store.em]\nengine = "ngprecomputed"\nref = "{directory}/path/to/volume"\ninstance = "em"\n'
        f'[store.labels]\nengine = "ngprecomputed"\nref = "{directory}/path/to/labels"\n'
        f'instance = "labels"\nlabel_index = "{directory}/path/to/labels.index"\n'
    )
    build(*job_of(directory / "config.toml", directory / "path/to/labels.index"))
    browser = directory / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {directory}/opened\n')
    browser.chmod(0o755)
    return directory


@pytest.fixture(scope="module")
def environ(home: Path) -> Iterator[dict[str, str]]:
    """Yield an environment with a browser that only notes what it opens, and with S3 on this machine."""
    volume = home / "path/to/volume"
    with run_s3_server() as s3:
        s3.make_bucket("bucket")
        for file in volume.rglob("*"):
            if file.is_file():
                s3.put("bucket", f"volume/{file.relative_to(volume)}", file.read_bytes(), public=True)
        yield {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "AWS_ENDPOINT_URL": s3.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REGION": "us-east-1",
            "BROWSER": f"{home}/browser %s",
            "XDG_CACHE_HOME": str(home / "cache"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
