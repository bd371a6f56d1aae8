"""The vendors' libraries are imported when a bucket is opened, and not before."""

import subprocess
import sys

from dvidpc.storage.vendors import load_gcs, load_s3

SCRIPT = """
import sys
import dvidpc.storage.inspection, dvidpc.storage.opening
sys.exit(bool({'botocore', 'gcloud'} & set(sys.modules)))
"""


def test_importing_the_package_imports_no_vendor_library() -> None:
    assert subprocess.run([sys.executable, "-c", SCRIPT], check=False).returncode == 0


async def test_modules_are_loaded_on_demand() -> None:
    assert (await load_s3()).open_lister.__name__ == "list_s3"
    assert (await load_gcs()).open_lister.__name__ == "list_gcs"
