"""Conventions of names in published collections."""

import pytest

from dvidpc.formats.precomputed.annotation_names import (
    is_body,
    is_site,
    kind_of_label,
    side_of_property,
    side_of_relationship,
)


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("pre_synaptic_cell", "pre"),
        ("post_synaptic_cell", "post"),
        ("presynaptic_cell", "pre"),
        ("pre_body", "pre"),
        ("post_body", "post"),
        ("body_pre", "pre"),
        ("segment_post", "post"),
        ("cell_pre", "pre"),
        ("pre_segment", "pre"),
        ("PRE_SYNAPTIC_CELL", "pre"),
        ("pre_pt_root_id", "pre"),
        ("post_neuron", "post"),
        ("pre_synaptic_site", None),
        ("post_synaptic_site", None),
        ("predicted_cell", None),
        ("posterior_segment", None),
        ("previous_body", None),
        ("segments", None),
        ("pre", None),
        ("roi", None),
    ],
)
def test_the_side_of_a_relationship(name: str, side: str | None) -> None:
    assert side_of_relationship(name) == side


@pytest.mark.parametrize(
    ("name", "sided"),
    [
        ("conf_pre", ("pre", "conf")),
        ("conf_post", ("post", "conf")),
        ("pre_synaptic_confidence", ("pre", "conf")),
        ("post_synaptic_confidence", ("post", "conf")),
        ("postsynaptic_confidence", ("post", "conf")),
        ("presyn_score", ("pre", "score")),
        ("pre_conf", ("pre", "conf")),
        ("confidence_pre", ("pre", "conf")),
        ("pre_user_name", ("pre", "user_name")),
        ("confidence", None),
        ("prediction", None),
        ("posterior_score", None),
        ("roi", None),
    ],
)
def test_the_side_of_a_property(name: str, sided: tuple[str, str] | None) -> None:
    assert side_of_property(name) == sided


def test_relationships_without_sides() -> None:
    assert all(map(is_body, ("body", "bodies", "cell", "Segment", "segments")))
    assert not any(map(is_body, ("roi", "site", "pre_body")))
    assert all(map(is_site, ("pre_synaptic_site", "sites", "Site")))
    assert not is_site("opposite")


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("PreSyn", "PreSyn"),
        ("pre-synaptic", "PreSyn"),
        ("T-Bar", "PreSyn"),
        ("POST", "PostSyn"),
        ("PSD", "PostSyn"),
        ("post synaptic", "PostSyn"),
        ("gap junction", "Gap"),
        ("Bookmark", "Note"),
        ("to do", "Note"),
        ("chemical", None),
        ("", None),
    ],
)
def test_the_kind_that_a_label_means(label: str, kind: str | None) -> None:
    assert kind_of_label(label) == kind
