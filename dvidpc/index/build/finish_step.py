"""The last step of a build: merge the rows of all partitions, and complete the index."""

from dvidpc.index.build.build_files import open_files
from dvidpc.index.build.job import BuildJob
from dvidpc.index.build.reduce_step import rows_name
from dvidpc.index.build.runs import read_rows
from dvidpc.index.build.source_versions import SOURCES_KEY
from dvidpc.index.build.table_writing import Totals, complete_index, merge_rows


def finish_index(job: BuildJob) -> Totals:
    """Complete the index; all partitions are reduced. The same whenever it runs.

    Raises:
        StoreError: A file cannot be read or written.
    """
    scratch = open_files(job.scratch)
    rows = merge_rows(read_rows(scratch, rows_name(number)) for number in range(job.partitions))
    return complete_index(job, open_files(job.output), rows, scratch.read(SOURCES_KEY) or b"")
