from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.io.seg_nrrd import segment_ids
from DiffusionSegLib.io.volume_writers import write_nrrd
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.provenance import Provenance
from Testing.Library.geometries import geometries


def header(path: Path) -> dict[str, str]:
    text = path.read_bytes().split(b"\n\n", 1)[0].decode("utf-8")
    return dict(line.split(":=", 1) for line in text.splitlines() if ":=" in line)


def test_the_header_names_what_slicer_reads(tmp_path: Path) -> None:
    array = np.zeros((2, 3, 4), np.uint8)
    array[1, 1, 1] = 5
    labels = (
        Label(2, "Empty | one\nline", (0.5, 0.25, 1.0)),
        Label(5, "Kidney", terminology="a~b"),
    )
    mask = Mask(array, Geometry((2, 3, 4)), labels, Provenance("cdal", "cdal/x"))
    mask.write(tmp_path / "x.seg.nrrd")
    found = header(tmp_path / "x.seg.nrrd")
    assert segment_ids(mask) == ("Segment_2", "Segment_5")
    assert found["Segment0_ID"] == "Segment_2"
    assert found["Segment0_Name"] == "Empty / one line"
    assert found["Segment0_Color"] == "0.5 0.25 1"
    assert found["Segment1_LabelValue"] == "5"
    assert found["Segment1_Extent"] == "0 3 0 2 0 1"
    assert "TerminologyEntry:a~b|" in found["Segment1_Tags"]
    assert "Segmentation.Status:completed|" in found["Segment1_Tags"]
    assert "DiffusionSeg.method:cdal|" in found["Segment1_Tags"]
    assert found["Segmentation_MasterRepresentation"] == "Binary labelmap"


names = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp", "Zs"]), min_size=1)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(geometry=geometries(), name=names, words=st.text(), seed=st.integers(0, 2**62))
def test_everything_comes_back(
    tmp_path: Path, geometry: Geometry, name: str, words: str, seed: int
) -> None:
    array = np.random.default_rng(0).integers(0, 3, geometry.shape_kji).astype(np.uint8)
    labels = (Label(1, name.replace("|", "/"), (0.1, 0.2, 0.3), "x~y"), Label(2, "Zwei: \\ ü"))
    mask = Mask(array, geometry, labels, Provenance("m", "x", prompt={"text": words}, seed=seed))
    mask.write(tmp_path / "x.seg.nrrd")
    again = Mask.read(tmp_path / "x.seg.nrrd")
    assert np.array_equal(again.array, array)
    assert again.labels == mask.labels
    assert again.provenance == mask.provenance
    assert again.geometry.is_close(geometry, 1e-9)


def layered(path: Path, layers: np.ndarray, *segments: dict[str, object]) -> Path:
    fields = {
        f"Segment{number}_{key}": str(value)
        for number, segment in enumerate(segments)
        for key, value in segment.items()
    }
    with path.open("wb") as stream:
        write_nrrd(stream, layers, Geometry(layers.shape[1:]), fields, "list")  # type: ignore[arg-type]
    return path


def segment(name: str, layer: int, value: int, **more: object) -> dict[str, object]:
    return {"ID": name, "Name": name, "Layer": layer, "LabelValue": value, **more}


@pytest.mark.parametrize("count", [2, 3, 4])
def test_where_layers_overlap_the_later_segment_wins(tmp_path: Path, count: int) -> None:
    layers = np.zeros((count, 2, 2, 4), np.uint8)
    layers[0, 0, 0] = [1, 1, 2, 0]
    layers[1, 0, 0] = [0, 1, 1, 1]
    path = layered(tmp_path / "x.seg.nrrd", layers, segment("a", 0, 1), segment("b", 1, 1),
                   segment("c", 0, 2))  # fmt: skip
    mask = Mask.read(path)
    assert [(label.value, label.name) for label in mask.labels] == [(1, "a"), (2, "b"), (3, "c")]
    assert mask.array[0, 0].tolist() == [1, 2, 3, 2]


def test_values_are_kept_where_no_two_layers_share_them(tmp_path: Path) -> None:
    layers = np.zeros((2, 2, 2, 2), np.uint8)
    layers[0, 0, 0, 0], layers[1, 1, 1, 1] = 7, 9
    mask = Mask.read(layered(tmp_path / "x.nrrd", layers, segment("a", 0, 7), segment("b", 1, 9)))
    assert sorted(np.unique(mask.array)) == [0, 7, 9]


def test_old_files_have_a_layer_for_each_segment(tmp_path: Path) -> None:
    layers = np.zeros((2, 2, 2, 2), np.uint8)
    layers[0, 0], layers[1, 1] = 1, 1
    mask = Mask.read(layered(tmp_path / "x.seg.nrrd", layers, {"ID": "a"}, {"ID": "b"}))
    assert mask.array[:, 0, 0].tolist() == [1, 2]
    assert [label.name for label in mask.labels] == ["a", "b"]


def test_odd_headers_are_read_or_refused(tmp_path: Path) -> None:
    layers = np.ones((1, 2, 2, 2), np.uint8)
    odd = segment("a", 0, 1, Color="red", Tags="nothing|:|a:b:c")
    assert Mask.read(layered(tmp_path / "x.seg.nrrd", layers, odd)).labels[0].name == "a"
    with pytest.raises(InputError, match=r"x\.seg\.nrrd is not a mask.*layer 4"):
        Mask.read(layered(tmp_path / "x.seg.nrrd", layers, segment("a", 4, 1)))
    many = [segment(str(n), 0, n) for n in range(300)]
    with pytest.raises(InputError, match="300 segments"):
        Mask.read(layered(tmp_path / "x.seg.nrrd", layers, *many))
