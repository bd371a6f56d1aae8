"""Show a layer in neuroglancer in headless Chromium and save a screenshot of each scale.

A separate program, because neuroglancer's Python side sets up logging, threads and an event loop.
Usage: neuroglancer_view.py <source> <directory> <nm along x> <y> <z> <x> <y> <z> <scale>...
The directory gets <scale>.npy for each, the pixels [y, x, rgba] with x, y, z in the middle, and console.json,
what the browser had to say.
"""

import json
import sys
from pathlib import Path

import neuroglancer
import neuroglancer.webdriver
import numpy as np

FLAGS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-dev-shm-usage",
)
SHADER = "void main() { emitGrayscale(toNormalized(getDataValue())); }"
SIZE = (200, 160)


def main(source: str, directory: Path, nm: list[float], position: list[float], scales: list[float]) -> None:
    """Show *source* at each of *scales*, given as voxels of the finest scale per pixel."""
    neuroglancer.set_server_bind_address("127.0.0.1")
    viewer = neuroglancer.Viewer()
    with viewer.txn() as state:
        state.dimensions = neuroglancer.CoordinateSpace(names=["x", "y", "z"], units="nm", scales=nm)
        state.layers["em"] = neuroglancer.ImageLayer(source=source, shader=SHADER, opacity=1)
        state.position = position
        state.layout = "xy"
        state.show_axis_lines = False
        state.show_scale_bar = False
        state.show_default_annotations = False
        state.cross_section_background_color = "#000000"
    said: list[str] = []
    driver = neuroglancer.webdriver.Webdriver(
        viewer, print_logs=False, extra_command_line_args=FLAGS, window_size=(600, 500)
    )
    with driver:
        driver.add_log_listener(lambda entry: said.append(f"{entry.level}: {entry.text}"))
        for scale in scales:
            with viewer.txn() as state:
                state.cross_section_scale = scale
            shown = viewer.screenshot(size=list(SIZE)).screenshot
            np.save(directory / f"{scale:g}.npy", shown.image_pixels)
    (directory / "console.json").write_text(json.dumps(said))


if __name__ == "__main__":
    _, where, into, *numbers = sys.argv
    values = [*map(float, numbers)]
    main(where, Path(into), values[:3], values[3:6], values[6:])
