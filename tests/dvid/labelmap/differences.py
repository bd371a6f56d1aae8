"""Where our answers differ from those of the recorded DVID on purpose: the only list of it.

The table of docs/from-dvid.md has the same reasons in the same order.
"""

import re
from typing import NamedTuple

from tests.recorded_labels import Answer


class Difference(NamedTuple):
    """Recorded answers that we do not give."""

    requests: str
    """A regular expression that matches method, instance, path and request body as a whole."""
    status: int
    """Of our answers."""
    dvid: str
    ours: str
    says: str = ""
    """A part of our answers' texts."""

    def covers(self, answer: Answer) -> bool:
        """Return whether *answer* is one of them."""
        request = f"{answer.method} {answer.instance}/{answer.path} {answer.request_body.decode()}"
        return re.fullmatch(self.requests, request.strip(), re.DOTALL) is not None


_NAMED = "segmentation_noindex|wide|aniso|segmentation_blk|negative_noindex"
_INDEX = (
    "existing-labels|index|index-version|indices|indices-compressed|lastmod|listlabels|proximity|size|sizes|"
    "sparsevols-coarse|sparsevol-size|supervoxels|supervoxel-sizes|maxlabel|nextlabel|sparsevol"
)
_ABSENT = "64_64_64/(0_0_64|640_0_0|-64_0_0)"

DIFFERENCES = (
    Difference(
        rf"GET (segmentation_noindex|negative_noindex)/({_INDEX})([/? ].*)?",
        400,
        "`size`, `sizes`, `index`, `listlabels`, `lastmod`, ... say that there is no such label",
        "400 in DVID's words for `IndexedLabels=false`: the labels exist, but nobody knows where",
        "is not label indexed (IndexedLabels=false)",
    ),
    Difference(
        rf"HEAD (segmentation_noindex)/({_INDEX})/.*",
        400,
        "the same for HEAD",
        "400",
    ),
    Difference(
        r"GET wide/(maxlabel|nextlabel|existing-labels)",
        400,
        "with an index: the largest label, all labels",
        "400, as without an index",
        "is not label indexed (IndexedLabels=false)",
    ),
    Difference(
        r"GET segmentation_noindex/mapping( .*|\?hash=\w+ .*)",
        200,
        "`mapping` of a label without an index is 0",
        "every label maps to itself",
    ),
    Difference(
        r"GET segmentation_noindex/(specificblocks|blocks|raw|label|labels).*scale=(3|99|-1|256).*",
        400,
        "a scale that does not exist: no blocks, zeros or a panic; 256 is 0",
        "400 with the number of scales",
        "its MaxDownresLevel is 2",
    ),
    Difference(
        rf"GET segmentation_noindex/raw/0_1_2/{_ABSENT}.*",
        200,
        "a block that is not stored: 400 `unable to get label block`, or a panic",
        "zeros",
    ),
    Difference(
        r"GET segmentation_noindex/raw/.*compression=google(gzip)?",
        200,
        "`compression=google` only for sizes that are multiples of 8",
        "any size, padded",
    ),
    Difference(
        r"GET (segmentation_noindex|segmentation_blk)/(raw|isotropic)/xy/.*/jpg(:80)?",
        400,
        "a slice of labels as JPEG",
        "400: a lossy image would show other labels; `pseudocolor` has JPEG",
        "jpeg: cannot hold 8 bytes per voxel; use png or tiff",
    ),
    Difference(
        r"GET aniso/isotropic/(xz|yz)/.*",
        200,
        "`isotropic` averages labels",
        "the nearest label",
    ),
    Difference(
        r"GET negative_noindex/label/(-53_-98_20|-1_-1_0)",
        200,
        "`label` and `labels` at negative positions read another block",
        "the label at that position",
    ),
    Difference(
        r"GET negative_noindex/specificblocks\?blocks=-1,-1,0,0,-1,0&scale=1",
        200,
        "a scale that was never computed is empty",
        "a volume of one scale gets a second one by DVID's rule",
    ),
    Difference(
        r"GET segmentation_noindex/labels \[\[1,2(,3,4)?\]\]",
        400,
        "`labels` takes two or four numbers for a position",
        "400",
        "a position has 3 numbers",
    ),
    Difference(
        r"GET segmentation_noindex/specificblocks\?blocks=4294967296,0,0",
        400,
        "block 4294967296 is block 0",
        "400",
        "value out of range",
    ),
    Difference(
        r"GET segmentation_noindex/blocks/-64_64_64/0_0_0",
        400,
        "a negative size: a panic",
        "400",
        "illegal size requested: -64_64_64",
    ),
    Difference(
        r"(HEAD|OPTIONS) segmentation_noindex/(mappings|mutations|specificblocks\?blocks=0,0,0|raw/.*)",
        200,
        "HEAD and OPTIONS are refused by some endpoints",
        "answered",
    ),
    Difference(
        r"HEAD segmentation_noindex/blocks/.*|GET segmentation_noindex/raw/0_1_2/64_64_64/0_0_0\?scale=2"
        r"|GET segmentation_noindex/mappings.*",
        200,
        "`Content-Type` is guessed from the voxels, or missing",
        "always that of the endpoint",
    ),
    Difference(
        rf"GET ({_NAMED})/(info/?|metadata)",
        200,
        "`MinPoint`, `MaxPoint` and `Size` are those of whole blocks; `MaxLabel` is that of what was written",
        "those of the volume; `MaxLabel` is empty",
    ),
    Difference(
        r"GET segmentation_blk/blocks/(128_64_64/0_0_0\?.*|64_64_64/0_0_0)",
        200,
        "`labelblk` has blocks of 32 voxels a side",
        "64, as `labelmap`; `info` says so",
    ),
    Difference(
        rf"GET ({_NAMED})/help", 200, "the help of every endpoint", "that of the endpoints served here"
    ),
    Difference(
        r"GET segmentation_noindex/(map-stats|resolution)",
        400,
        "`map-stats`",
        "400: there is no map of labels",
    ),
)
