"""Training on a machine that has torch, numpy and safetensors and nothing else of ours."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
MISSING = (
    "SimpleITK", "scipy", "PIL", "monai", "rich", "platformdirs", "tensorboard", "transformers",
    "tokenizers", "diffusers", "huggingface_hub", "sentence_transformers", "hypothesis", "pytest",
)  # fmt: skip
PROGRAM = f"""
import sys
for name in {MISSING}:
    sys.modules[name] = None
from pathlib import Path
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone import command
from DiffusionSegLib.training.backbone.export import export_model
from DiffusionSegLib.training.backbone.pack import read_pack, write_pack
from DiffusionSegLib.training.backbone.stages import train_backbone
from Testing.Library.backbones.compact.tiny import tiny_config
from Testing.Library.training.backbone.tiny import tiny_pack, tiny_settings
folder = Path(sys.argv[1])
write_pack(folder / "data.safetensors", tiny_pack())
pack = read_pack(folder / "data.safetensors")
settings = tiny_settings(steps=2, autoencoder_steps=2)
train_backbone(pack, settings, folder, "cpu", Progress.silent(), tiny_config())
sys.stdout.write(export_model(folder, pack, folder / "model", Progress.silent()))
"""


def test_training_and_export_need_only_torch_numpy_and_safetensors(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "after 2 steps" in done.stdout
    assert (tmp_path / "model" / "CARD.md").exists()
