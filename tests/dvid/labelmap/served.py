"""Serve segmentations that a test writes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.label_volumes import LabelScale, write_labels
from tests.serving import Server, config_text, serving


@asynccontextmanager
async def serving_labels(
    directory: Path, *scales: LabelScale, label_type: str = "labelmap", more: str = ""
) -> AsyncIterator[Server]:
    """Write a segmentation below *directory* and serve it as `seg`; *more* ends the configuration."""
    write_labels(directory / "volume", *scales)
    text = config_text({"seg": directory / "volume"}, f'label_type = "{label_type}"\n{more}')
    async with serving(text, directory) as server:
        yield server
