"""The data sets of the zero-shot benchmark: where they lie, what is outlined, how they are split.

Open sets are split by patient with `split_cases`, as for the bundled models; their weights may see
the images, and parameters may be chosen on the outlines of the parts train and validation. Sets
whose licence forbids training (`restricted/`) are never split: every case is a test case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from DiffusionSegLib.errors import InputError, unknown_name
from DiffusionSegLib.training.splits import PARTS, split_cases
from Testing.Benchmarks.datasets import SAMPLES

ALL = "all"


def each(name: str) -> str:
    """Every image has a patient of its own, as far as the data set says."""
    return name


def before_mark(name: str) -> str:
    """NAME_SLICE or NAME-SLICE: the patient stands first."""
    return name.replace("-", "_").rpartition("_")[0]


def block_of_16(name: str) -> str:
    """Runs of neighboring slices: blocks of 16 numbers instead of patients."""
    return f"block {(int(name) - 3000) // 16}"


def ten_each(name: str) -> str:
    """KIND_NUMBER with ten patches a patient in order."""
    kind, number = name.split("_")
    return f"{kind} {int(number) // 10}"


@dataclass(frozen=True)
class Source:
    """A folder with images/ and labels/ of the same file names.

    values: label values that make the object; empty: every value above 0. suffix: the channel in
    the image's file name (`_ct`). volume: the cases are volumes, of which one slice is shown. many:
    they show many objects, one of which is cut out.
    """

    folder: str
    group: Callable[[str], str] = each
    values: tuple[int, ...] = ()
    suffix: str = ""
    volume: bool = False
    left_out: tuple[str, ...] = ()
    many: bool = False


@dataclass(frozen=True)
class DataSet:
    """What is outlined. split: False when the test part is all cases, which `why` explains; only
    where they are FEW is there a train and a validation part besides."""

    title: str
    sources: tuple[Source, ...]
    split: bool = True
    why: str = ""

    def in_part(self, source: Source, names: list[str], part: str) -> list[str]:
        """Of the sorted stems those of the part."""
        if part == ALL or (not self.split and part == "test"):
            return names
        if not self.split and self.why != FEW:
            return []
        groups = set(split_cases(source.group(name) for name in names)[part])
        return [name for name in names if source.group(name) in groups]


RESTRICTED = "restricted, never trained or tuned on"
FEW = "too few patients for parts, so the test part is all cases"
BUNDLED = "the bundled samples"
WBC, CXR = "restricted/wbc_zheng2018", "restricted/covid_cxr_infection"
STS = "open/sts_ct_mr"

SETS: Mapping[str, DataSet] = {
    "wbc-nucleus": DataSet(
        "White blood cell, nucleus", (Source(WBC, values=(2,)),), False, RESTRICTED
    ),
    "wbc-cell": DataSet("White blood cell, whole", (Source(WBC),), False, RESTRICTED),
    "skin-lesion": DataSet("Skin lesion, dermoscopy", (Source("open/isic2017_98"),)),
    "cxr-infection": DataSet(
        "Infection, chest X-ray", (Source(CXR, values=(2, 3)),), False, RESTRICTED
    ),
    "brain-tumor": DataSet(
        "Brain tumor, MR slices",
        (
            Source("open/brisc2025_brain_tumour_slices"),
            Source("open/figshare_brain_tumour_slices", block_of_16),
        ),
    ),
    "lung-tumor": DataSet(
        "Lung tumor, CT slices", (Source("open/msd_lung_slices", before_mark),), False, FEW
    ),
    "hepatic-tumor": DataSet(
        "Tumor at the hepatic vessels, CT slices",
        (Source("open/msd_hepaticvessel_slices", before_mark, values=(2,)),), False, FEW,
    ),
    "sarcoma-ct": DataSet(
        "Sarcoma, CT, largest slice, cropped at random",
        (Source(STS, suffix="_ct", volume=True, left_out=("STS_019",)),),
    ),
    "sarcoma-mr": DataSet(
        "Sarcoma, MR, largest slice, cropped at random",
        (Source(STS, suffix="_mr", volume=True, left_out=("STS_019",)),),
    ),
}  # fmt: skip

# Only when asked for: 48 x 48 pixels at 2 mm are hardly an image; the others are organs and single
# nuclei, on which the weights of clicks are chosen too.
MORE_SETS: Mapping[str, DataSet] = {
    "lung-patch": DataSet(
        "Lung tumor, CT patches of 48 x 48", (Source("open/msd_lung_patches_2mm", ten_each),)
    ),
    "nucleus": DataSet(
        "One nucleus of many, microscopy", (Source("open/dsb2018_nuclei", many=True),)
    ),
    "pancreas": DataSet("Pancreas, CT slices", (Source("open/nih_pancreas_slices", before_mark),)),
    "liver": DataSet("Liver, CT slices", (Source("open/msd_liver_slices", before_mark),)),
    "hippocampus": DataSet(
        "Hippocampus, MR, largest slice, cropped at random",
        (Source("open/msd_hippocampus", volume=True),),
    ),
}

# Nuclei are left out: there are many in an image, and a click means one of them.
SAMPLE_SETS: Mapping[str, DataSet] = {
    "skin-lesion": DataSet("Skin lesion, dermoscopy", (Source("isic2017_98"),), False, BUNDLED),
    "hippocampus": DataSet(
        "Hippocampus, MR, largest slice, cropped at random",
        (Source("msd_hippocampus", volume=True),), False, BUNDLED,
    ),
    "sarcoma-ct": DataSet(
        "Sarcoma, CT, largest slice, cropped at random",
        (Source("sts_ct_mr", suffix="_ct", volume=True),), False, BUNDLED,
    ),
    "sarcoma-mr": DataSet(
        "Sarcoma, MR, largest slice, cropped at random",
        (Source("sts_ct_mr", suffix="_mr", volume=True),), False, BUNDLED,
    ),
}  # fmt: skip


def find_set(name: str, data: Path | None) -> tuple[DataSet, Path]:
    """A data set and the folder that its sources start from; without data a bundled one.

    Raises UnknownNameError, and InputError when no folder of the set is there.
    """
    known = SAMPLE_SETS if data is None else {**SETS, **MORE_SETS}
    if name not in known:
        raise unknown_name("data set", name, known)
    found, root = known[name], SAMPLES if data is None else data
    if not any((root / source.folder / "labels").is_dir() for source in found.sources):
        raise InputError(
            f"{root} holds no {found.sources[0].folder} with images and labels; give the folder "
            "that has open/ and restricted/ below it."
        )
    return found, root


def check_part(part: str) -> str:
    """The part itself; raises InputError for an unknown one."""
    if part not in (*PARTS, ALL):
        raise InputError(f"A part is one of {', '.join((*PARTS, ALL))}, not {part!r}.")
    return part
