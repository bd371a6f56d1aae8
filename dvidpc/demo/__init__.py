"""The demo: a made-up EM volume, the config that serves it, and what to try on it.

Nothing heavy is imported until the volume has to be made.
"""

from dvidpc.demo.guide import demo_config_text, demo_guide
from dvidpc.demo.place import demo_directory, ensure_demo_volume, write_demo_volume

__all__ = ["demo_config_text", "demo_directory", "demo_guide", "ensure_demo_volume", "write_demo_volume"]
