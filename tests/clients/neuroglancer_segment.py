"""Show one segment of a segmentation in neuroglancer's 3-D view in headless Chromium.

A separate program, because neuroglancer's Python side sets up logging, threads and an event loop.
Usage: neuroglancer_segment.py <source> <directory> <segment>
The directory gets shown.npy, the pixels [y, x, rgba], and console.json, what the browser had to say.
"""

import json
import sys
from pathlib import Path

import neuroglancer
import neuroglancer.webdriver
import numpy as np

from tests.clients.neuroglancer_view import FLAGS

SIZE = (200, 160)


def main(source: str, directory: Path, segment: int) -> None:
    """Show *segment* of *source*."""
    neuroglancer.set_server_bind_address("127.0.0.1")
    viewer = neuroglancer.Viewer()
    with viewer.txn() as state:
        state.dimensions = neuroglancer.CoordinateSpace(names=["x", "y", "z"], units="nm", scales=[8, 8, 8])
        state.layers["seg"] = neuroglancer.SegmentationLayer(
            source=source, segments=[segment], segment_colors={segment: "#ff0000"}
        )
        state.position = [64, 64, 64]
        state.projection_scale = 300
        state.layout = neuroglancer.DataPanelLayout("3d")
        state.show_axis_lines = False
        state.show_slices = False
        state.projection_background_color = "#000000"
    said: list[str] = []
    driver = neuroglancer.webdriver.Webdriver(
        viewer, print_logs=False, extra_command_line_args=FLAGS, window_size=(600, 500)
    )
    with driver:
        driver.add_log_listener(lambda entry: said.append(f"{entry.level}: {entry.text}"))
        shown = viewer.screenshot(size=list(SIZE)).screenshot
        np.save(directory / "shown.npy", shown.image_pixels)
    (directory / "console.json").write_text(json.dumps(said))


if __name__ == "__main__":
    _, where, into, chosen = sys.argv
    main(where, Path(into), int(chosen))
