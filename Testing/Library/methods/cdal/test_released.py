import json
import os
import pickle

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from DiffusionSegLib.errors import ModelError, OutputError
from DiffusionSegLib.methods.cdal.config import RELEASED_GENERATORS, GeneratorConfig
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.released import convert, generator_from_released, released_names
from Testing.Library.reference.awake import normal
from Testing.Library.reference.cdal_reference import SHAPES, ReferenceGenerator
from Testing.Library.reference.released_layout import LISTS, random_checkpoint, released_shapes

KEYS = {"lung": 456, "monuseg": 702, "hippocampus": 432, "hippocampus-1": 334}
SMALLEST = "hippocampus-1"


@pytest.mark.parametrize("name", LISTS)
def test_every_key_and_shape_is_that_of_the_hand_written_list(name):
    with torch.device("meta"):
        network = Generator(RELEASED_GENERATORS[name])
    ours = dict(network.named_parameters())
    names = released_names(network)
    found = {
        theirs: tuple(ours[own].T.shape if theirs.endswith(".W") else ours[own].shape)
        for own, theirs in names.items()
    }
    assert found == released_shapes(name)
    assert len(found) == KEYS[name]
    assert set(names) == set(network.state_dict())


@pytest.mark.parametrize("name", LISTS)
def test_network_agrees_with_the_slow_reference(name):
    checkpoint = random_checkpoint(name, seed=1)
    network = Generator.from_released(checkpoint).eval()
    side = 32 if name.startswith("hippo") else 64
    config = network.config
    x, z = normal(2, config.mask_channels, side, side), normal(2, config.latent_size, seed=1)
    image = normal(2, config.image_channels, side, side, seed=2).clamp(-1, 1)
    timestep = torch.tensor([0, 3])
    reference = ReferenceGenerator({k: v.double() for k, v in checkpoint.items()}, SHAPES[name])
    with torch.no_grad():
        found = network(x, timestep, image, z)
    wanted = reference(x.double(), timestep, image.double(), z.double())
    assert float(wanted.std()) > 0.05  # a network that says nothing would agree with anything
    assert float((found - wanted).abs().max()) <= 1e-5


def test_every_released_weight_takes_part():
    """A weight that ended in the wrong place, or nowhere, would leave the output as it is."""
    network = Generator.from_released(random_checkpoint("hippocampus", seed=2)).double()
    mask, image, z = (normal(2, *shape).double() for shape in ((3, 32, 32), (1, 32, 32), (50,)))
    network(mask, torch.tensor([0, 1]), image, z).square().sum().backward()
    idle = {name for name, p in network.named_parameters() if float(p.grad.abs().max()) < 1e-10}
    # A softmax ignores what is added to all keys; a norm per channel ignores a bias before it.
    expected = {name for name, _ in network.named_parameters() if name.endswith(".key.bias")}
    expected |= {f"condition.blocks.{index}.conv_in.bias" for index in range(6)}
    assert idle == expected


def test_the_prefix_of_the_wrapper_is_optional():
    wrapped = random_checkpoint(SMALLEST, seed=3)
    bare = {key.removeprefix("module."): value for key, value in wrapped.items()}
    first, second = generator_from_released(wrapped), generator_from_released(bare)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])


def test_the_network_does_not_share_memory_with_the_checkpoint():
    checkpoint = random_checkpoint(SMALLEST, seed=3)
    network = generator_from_released(checkpoint)
    with torch.no_grad():
        network.time_in.bias.zero_()
    assert float(checkpoint["module.all_modules.0.bias"].abs().min()) > 0


def test_a_wrong_number_of_weights_names_the_known_numbers():
    checkpoint = random_checkpoint(SMALLEST, seed=0)
    checkpoint.pop("module.all_modules.36.bias")
    with pytest.raises(ModelError, match=r"333 weights.*456 \(lung\), 702 \(monuseg\)"):
        generator_from_released(checkpoint)


def test_a_foreign_key_is_named():
    checkpoint = random_checkpoint(SMALLEST, seed=0)
    checkpoint["module.all_modules.36.scale"] = checkpoint.pop("module.all_modules.36.bias")
    with pytest.raises(ModelError, match=r"lacks.*all_modules\.36\.bias.*all_modules\.36\.scale"):
        generator_from_released(checkpoint)


@pytest.mark.parametrize(
    ("key", "shape", "wanted"),
    [
        ("all_modules.2.weight", (32, 3, 3, 3), r"\(32, 1, 3, 3\)"),
        ("all_modules.14.NIN_0.W", (64, 65), r"\(64, 64\)"),
        ("z_transform.1.weight", (50, 128), r"\(128, 50\)"),
    ],
)
def test_a_wrong_shape_names_the_key_and_both_shapes(key, shape, wanted):
    checkpoint = random_checkpoint(SMALLEST, seed=0)
    checkpoint[f"module.{key}"] = torch.zeros(shape)
    with pytest.raises(ModelError, match=f"{key} has the shape .*{wanted}"):
        generator_from_released(checkpoint)


def test_weights_that_are_not_numbers_are_refused():
    checkpoint = random_checkpoint(SMALLEST, seed=0)
    checkpoint["module.all_modules.0.bias"][3] = float("nan")
    with pytest.raises(ModelError, match=r"all_modules\.0\.bias .*not finite"):
        generator_from_released(checkpoint)


@pytest.mark.parametrize("zipped", [True, False])
def test_conversion_keeps_every_weight(tmp_path, zipped):
    checkpoint = random_checkpoint(SMALLEST, seed=4)
    source, out = tmp_path / "Hippo_fold0.pth", tmp_path / "hippo.safetensors"
    torch.save(checkpoint, source, _use_new_zipfile_serialization=zipped)
    sentence = convert(source, out)
    assert "hippocampus-1" in sentence
    assert "2,691,971" in sentence
    with safe_open(str(out), framework="pt") as store:
        metadata = store.metadata()
    assert metadata["configuration"] == SMALLEST
    network = Generator(GeneratorConfig.from_dict(json.loads(metadata["generator"])))
    network.load_state_dict(load_file(out))
    for name, value in generator_from_released(checkpoint).state_dict().items():
        assert torch.equal(network.state_dict()[name], value)
    assert sorted(tmp_path.iterdir()) == sorted([source, out])


class Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path):
    mark = tmp_path / "was-run"
    for name, write in {
        "zip.pth": lambda value, path: torch.save(value, path),
        "raw.pth": lambda value, path: path.write_bytes(pickle.dumps(value, protocol=2)),
    }.items():
        write({"weights": Trap(mark)}, tmp_path / name)
        with pytest.raises(ModelError, match=r"holds Python code or objects.*refused"):
            convert(tmp_path / name, tmp_path / "out.safetensors")
    (tmp_path / "newer.pth").write_bytes(pickle.dumps({"weights": Trap(mark)}, protocol=4))
    with pytest.raises(ModelError, match="cannot be read"):
        convert(tmp_path / "newer.pth", tmp_path / "out.safetensors")
    assert not mark.exists()
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_truncated_checkpoint_is_called_damaged(tmp_path, share, zipped):
    path = tmp_path / "cut.pth"
    torch.save(
        {"a": torch.zeros(5000), "b": torch.ones(9)}, path, _use_new_zipfile_serialization=zipped
    )
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match="cannot be read: it is cut off or no PyTorch checkpoint"):
        convert(path, tmp_path / "out.safetensors")


def test_other_files_are_refused_with_a_sentence(tmp_path):
    out = tmp_path / "out.safetensors"
    with pytest.raises(ModelError, match="does not exist"):
        convert(tmp_path / "nothing.pth", out)
    text = tmp_path / "text.pth"
    text.write_text("<html>not found</html>")
    with pytest.raises(ModelError, match="cannot be read"):
        convert(text, out)
    torch.save([torch.zeros(3)], tmp_path / "list.pth")
    with pytest.raises(ModelError, match="not a table of weights"):
        convert(tmp_path / "list.pth", out)
    torch.save({"a": {"b": torch.zeros(3)}}, tmp_path / "nested.pth")
    with pytest.raises(ModelError, match="not a table of weights"):
        convert(tmp_path / "nested.pth", out)
    torch.save({"a": torch.zeros(3)}, tmp_path / "small.pth")
    with pytest.raises(ModelError, match=r"small\.pth cannot be converted\. It has 1 weights"):
        convert(tmp_path / "small.pth", out)
    assert not out.exists()


def test_a_file_that_cannot_be_written_says_so(tmp_path):
    torch.save(random_checkpoint(SMALLEST, seed=4), tmp_path / "hippo.pth")
    with pytest.raises(OutputError, match="folder does not exist"):
        convert(tmp_path / "hippo.pth", tmp_path / "no" / "hippo.safetensors")
