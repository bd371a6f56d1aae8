"""Where the answers from a label index differ from those of the recorded DVID on purpose.

The table of docs/from-dvid.md has the same reasons.
"""

from tests.dvid.labelmap.differences import Difference

INDEX_DIFFERENCES = (
    Difference(
        r"GET segmentation/sparsevol/\d+\?scale=3",
        400,
        "a sparse volume at a scale that does not exist is empty",
        "400 with the number of scales",
        "its MaxDownresLevel is 2",
    ),
    Difference(
        r"GET segmentation/sparsevol/\d+\?(format=srles&)?minx=90&maxx=70",
        200,
        "bounds whose end lies before their start hold some voxels",
        "none",
    ),
    Difference(
        r"GET segmentation/sparsevol/\d+\?.*max[xyz]=.*",
        200,
        "runs go on beyond the bounds to the end of 8 voxels of one label",
        "cut at the bounds",
    ),
    Difference(
        r"GET segmentation/sparsevol-by-point/11_30",
        400,
        "a position of two numbers: a panic",
        "400",
        "Coordinate must be 3d coordinate",
    ),
    Difference(
        r"GET segmentation/indices x",
        400,
        "the words for a body that is not JSON",
        "others",
        "expected JSON label list: ",
    ),
    Difference(
        r"GET segmentation/proximity/.*",
        400,
        "`proximity`",
        "400 with its name",
        '"proximity" endpoint is not supported by this server',
    ),
)
