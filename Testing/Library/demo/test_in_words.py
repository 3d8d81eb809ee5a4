"""Samples that are asked for in words, and the twin on the page."""

from dataclasses import replace

import numpy as np
import pytest

from DiffusionSegLib.demo.in_words import WORDS, worded_samples
from DiffusionSegLib.demo.overlay import sample_pictures
from DiffusionSegLib.demo.page import render_page
from DiffusionSegLib.demo.run import SampleResult
from DiffusionSegLib.demo.samples import load_samples, samples_folder
from DiffusionSegLib.demo.zero_shot import asked_of, zero_shot_samples
from DiffusionSegLib.evaluation.label_pairs import label_pairs
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict
from Testing.Library.demo.test_zero_shot import case, sample
from Testing.Library.geometries import KIND_NAMES, KINDS


def worded(folder):
    (found,) = worded_samples([replace(sample(folder), text="soft tissue sarcoma")])
    return found


def test_one_of_several_channels_and_a_name_of_its_own(tmp_path):
    found = worded(tmp_path)
    assert (found.method, found.model, found.told) == ("diffugts", "compact", WORDS)
    assert found.images == (tmp_path / "b.png",)
    assert found.modality == ("RGB",)
    assert "soft tissue sarcoma" in found.title
    assert not worded_samples([sample(tmp_path)])


def test_the_bundled_samples_hold_one_and_it_is_not_shown_to_others():
    samples = load_samples(samples_folder())
    shown = worded_samples(samples)
    assert len(shown) == 1
    ids = {one.id for one in (*samples, *zero_shot_samples(samples), *shown)}
    assert len(ids) == len(samples) + len(zero_shot_samples(samples)) + 1
    assert not worded_samples(zero_shot_samples(samples))


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_words_are_asked_on_the_largest_slice(tmp_path, kind):
    image, truth = case(kind)
    part, known, prompt = asked_of(worded(tmp_path), image, truth)
    assert part.dimension == known.dimension == 2
    assert known.array.sum() == truth.array.sum(axis=(1, 2)).max()
    assert prompt.text == "soft tissue sarcoma"
    assert not (prompt.points or prompt.boxes)


def test_map_twin_and_difference_are_on_the_page(tmp_path):
    image, truth = case(KINDS[0])
    flat, known, prompt = asked_of(worded(tmp_path), image, truth)
    coarse = flat.geometry.with_shape((1, 10, 12))
    inside = Image(known.array[None].astype(np.float32), flat.geometry, dimension=2)
    there = inside.resampled(coarse).array
    proposal = Proposal(
        inside,
        known.labels,
        PresenceVerdict(Verdict.FOUND, 0.8, "It stands out."),
        Provenance("diffugts", "diffugts/compact", prompt=prompt.to_dict()),
        auxiliary={
            "anomaly map": Image(there, coarse),
            "pseudo-healthy": Image(1 - there, coarse),
            "difference": Image(2 * there - 0.5, coarse),
        },
    )
    mask: Mask = proposal.mask()
    pairs = label_pairs(proposal.labels)
    (pictures,) = sample_pictures(flat, proposal, mask, known, pairs)
    assert [one.name for one in pictures.explained] == list(proposal.auxiliary)
    assert len(pictures.row) == 3 + 3
    result = SampleResult(
        worded(tmp_path), proposal=proposal, pictures=(pictures,), channel_titles=("MR",)
    )
    text = render_page([result], "2 CPU cores", "1.2.3")
    assert text.count("<img") == 6
    reach = f"{pictures.explained[-1].high:.3g}"
    assert 0.5 < float(reach) <= 1.5
    for words in ("anomaly map", "pseudo-healthy", "difference", f">-{reach}<i", f"</i>{reach}<"):
        assert words in text
