"""The keys of arrays, and the window of any image: what they mean, and which line an error tells to write."""

from pathlib import Path

import pytest

from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.formats.window import Window
from dvidpc.sources.buckets import settings_of
from dvidpc.storage.ref import Kind, Ref
from tests.config.files import STORE, error_of, load

ZARR = STORE.replace("ngprecomputed", "zarr")
N5 = STORE.replace("ngprecomputed", "n5")

KEYS = """
type = "segmentation"
multiscale = "em"
axes = "tczyx"
at = { t = 3, c = 1 }
resolution = [4, 4.5, 40]
offset = "ignore"
dimension_separator = "/"
"""


def test_keys_of_arrays_are_read(tmp_path: Path) -> None:
    [store] = load(tmp_path, ZARR + KEYS).stores
    settings = settings_of(store)
    assert (settings.engine, settings.is_labels, settings.window, settings.full) == (
        "zarr",
        True,
        None,
        False,
    )
    assert settings.arrays == ArraySelection(
        multiscale="em",
        axes="tczyx",
        at=(("c", 1), ("t", 3)),
        resolution_nm=(4.0, 4.5, 40.0),
        ignore_offset=True,
        dimension_separator="/",
        zarr_version=None,
    )


@pytest.mark.parametrize("engine", [STORE, ZARR, N5])
def test_any_image_may_have_a_window(tmp_path: Path, engine: str) -> None:
    [store] = load(tmp_path, engine + "window = [-0.5, 100]\nfull = true\n").stores
    settings = settings_of(store)
    assert (settings.window, settings.full) == (Window(-0.5, 100), True)


def test_empty_values_mean_the_same_as_no_key(tmp_path: Path) -> None:
    empty = (
        'type = ""\nmultiscale = ""\naxes = ""\nat = {}\nresolution = []\nwindow = []\n'
        'dimension_separator = ""\noffset = "metadata"\nfull = false\n'
    )
    for engine in (STORE, ZARR, N5):
        assert load(tmp_path, engine + empty).stores == load(tmp_path, engine).stores


REFS = {
    "zarr://s3://bucket/a/b.zarr/": ("zarr", "a/b.zarr", None, None),
    "zarr2://s3://bucket/a": ("zarr", "a", 2, None),
    "zarr3://s3://bucket/a/": ("zarr", "a", 3, None),
    "s3://bucket/a/|zarr3:": ("zarr", "a", 3, None),
    "s3://bucket/a/|zarr3:x/s0/": ("zarr", "a/x/s0", 3, None),
    "s3://bucket/a|zarr:/x": ("zarr", "a/x", None, None),
    "s3://bucket/a/|zarr2:#dimension_separator=/": ("zarr", "a", 2, "/"),
    "zarr://s3://bucket/a#dimension_separator=.": ("zarr", "a", None, "."),
    "zarr://s3://bucket/a/zarr.json": ("zarr", "a", None, None),
    "zarr://s3://bucket/a/.zattrs": ("zarr", "a", None, None),
    "n5://s3://bucket/a.n5/em/": ("n5", "a.n5/em", None, None),
    "s3://bucket/a.n5/|n5:em/s0": ("n5", "a.n5/em/s0", None, None),
    "n5://s3://bucket/a/attributes.json": ("n5", "a", None, None),
    "precomputed://s3://bucket/a": ("ngprecomputed", "a", None, None),
    "s3://bucket/|neuroglancer-precomputed:a": ("ngprecomputed", "a", None, None),
}


@pytest.mark.parametrize("ref", REFS)
def test_ref_is_taken_as_neuroglancer_writes_it(tmp_path: Path, ref: str) -> None:
    engine, prefix, version, separator = REFS[ref]
    text = STORE.replace("ngprecomputed", engine).replace("s3://bucket/em", ref)
    [store] = load(tmp_path, text).stores
    assert store.ref == Ref(Kind.S3, "bucket", prefix)
    assert store.ref.text == ref
    selection = settings_of(store).arrays
    assert (selection.zarr_version, selection.dimension_separator) == (version, separator)


def test_root_of_n5_files_is_two_directories_above(tmp_path: Path) -> None:
    for engine, root in ((N5, "file:///data/a.n5"), (ZARR, "file:///data/a.n5/setup0")):
        [store] = load(tmp_path, engine.replace("s3://bucket/em", "/data/a.n5/setup0/timepoint0")).stores
        assert store.ref.root.url == root
    [store] = load(tmp_path, N5.replace("s3://bucket/em", "/em")).stores
    assert (store.ref.root.url, store.ref.directory) == ("file:///", "em")


WRONG = [
    (
        ZARR.replace("s3://bucket/em", "n5://s3://bucket/em"),
        '[store.em] engine: the ref names the format "n5"; write engine = "n5"',
    ),
    (
        STORE.replace("s3://bucket/em", "s3://bucket/em/|zarr3:"),
        '[store.em] engine: the ref names the format "zarr3"; write engine = "zarr"',
    ),
    (
        ZARR.replace("s3://bucket/em", "precomputed://s3://bucket/em"),
        '[store.em] engine: the ref names the format "precomputed"; write engine = "ngprecomputed"',
    ),
    (
        STORE.replace('engine = "ngprecomputed"\n', "").replace("s3://bucket", "zarr://s3://bucket"),
        '[store.em] engine: is missing, every store needs one; write engine = "zarr"',
    ),
    (
        STORE.replace("ngprecomputed", "zarr3"),
        '[store.em] engine: unknown engine "zarr3"; did you mean "zarr"?',
    ),
    (
        STORE.replace("ngprecomputed", "OME-Zarr"),
        '[store.em] engine: unknown engine "OME-Zarr"; did you mean "zarr"?',
    ),
    (
        STORE.replace("ngprecomputed", "neuroglancer_precomputed"),
        '[store.em] engine: unknown engine "neuroglancer_precomputed"; did you mean "ngprecomputed"?',
    ),
    (STORE + 'axes = "zyx"\n', "[store.em] axes: is a key of zarr and n5 stores only"),
    (STORE + 'type = "image"\n', "[store.em] type: is a key of zarr and n5 stores only"),
    (N5 + 'dimension_separator = "/"\n', "[store.em] dimension_separator: is a key of zarr stores only"),
    (ZARR + 'axes = "zzx"\n', '[store.em] axes: the string "zzx" does not name each dimension by a letter'),
    (ZARR + 'axes = "zt"\n', "[store.em] axes: "),
    (ZARR + "at = { x = 1 }\n", "[store.em] at: the axis x cannot be fixed"),
    (ZARR + "at = { t = -1 }\n", "[store.em] at: expected a position as a whole number from 0 for t"),
    (ZARR + "at = 3\n", "[store.em] at: expected a table of positions by axis, got the integer 3"),
    (ZARR + "resolution = [4, 4]\n", "[store.em] resolution: expected an array of three numbers above 0"),
    (ZARR + "resolution = [4, 4, 0]\n", "[store.em] resolution: expected an array of three numbers above 0"),
    (ZARR + "resolution = [4, 4, inf]\n", "[store.em] resolution: expected an array of three numbers"),
    (ZARR + "window = [5, 5]\n", "[store.em] window: the first number, shown as black, must be less"),
    (ZARR + "window = [5]\n", "[store.em] window: expected an array of two numbers, low and high"),
    (ZARR + "window = [nan, 5]\n", "[store.em] window: expected an array of two numbers, low and high"),
    (ZARR + "full = true\n", "[store.em] full: there is no window"),
    (
        ZARR + 'window = [0, 9]\ntype = "segmentation"\n',
        "[store.em] window: is for images, and type is a segmentation; remove one of the two",
    ),
    (
        ZARR.replace("s3://bucket/em", "zarr://s3://bucket/em#dimension_separator=/")
        + 'dimension_separator = "."\n',
        '[store.em] dimension_separator: the ref says "/"; remove one of the two',
    ),
    (
        ZARR.replace("s3://bucket/em", "s3://bucket/em.zip|zip:|zarr2:"),
        "[store.em] ref: 's3://bucket/em.zip|zip:|zarr2:' goes through |zip:, which is not read here",
    ),
    (
        ZARR.replace("s3://bucket/em", "n5://s3://bucket/em|zarr3:"),
        "[store.em] ref: 'n5://s3://bucket/em|zarr3:' names two formats: n5 and zarr3; remove one",
    ),
    (
        ZARR.replace("s3://bucket/em", "zarr://s3://bucket/em#dimension_separator=x"),
        "[store.em] ref: '#dimension_separator=x' is not understood",
    ),
    (
        ZARR.replace("s3://bucket/em", "s3+https://host/bucket/em"),
        "[store.em] ref: unknown service 's3+https'; did you mean vast://?",
    ),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_wrong_key_is_refused_with_the_line_to_write(tmp_path: Path, text: str, words: str) -> None:
    said = error_of(tmp_path, text)
    assert said.startswith(words)
    assert ";" in said
