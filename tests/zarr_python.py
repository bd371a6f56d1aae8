"""zarr-python and numcodecs, imported beside zfpy.

numcodecs 0.16 cannot parse zfpy's version, `1.0.1.post0`, and fails to be imported where that is installed.
Without its module for zfpy it works.
"""

import sys
from importlib import import_module
from typing import Any, cast

sys.modules.update({"numcodecs.zfpy": cast("Any", None)})  # that is: not to be imported

numcodecs: Any = import_module("numcodecs")
zarr: Any = import_module("zarr")
