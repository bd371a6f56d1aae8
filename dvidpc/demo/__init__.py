"""The demo: a made-up EM volume, the configuration that serves it, and what to try on it.

Importing this package is cheap: numpy, tensorstore and rich are imported when the volume is made.
"""

from dvidpc.demo.guide import demo_config_text, demo_guide
from dvidpc.demo.layouts import Layout
from dvidpc.demo.location import DEMO_SIZE, demo_directory, ensure_demo_volume, write_demo_volume

__all__ = [
    "DEMO_SIZE",
    "Layout",
    "demo_config_text",
    "demo_directory",
    "demo_guide",
    "ensure_demo_volume",
    "write_demo_volume",
]
