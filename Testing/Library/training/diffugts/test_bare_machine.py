"""Training on a machine that has torch, numpy, scipy and safetensors and nothing else of ours."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
MISSING = (
    "SimpleITK", "PIL", "monai", "rich", "platformdirs", "tensorboard", "transformers",
    "tokenizers", "diffusers", "huggingface_hub", "sentence_transformers", "hypothesis", "pytest",
)  # fmt: skip
PROGRAM = f"""
import sys
for name in {MISSING}:
    sys.modules[name] = None
from pathlib import Path
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.diffugts import command
from DiffusionSegLib.training.diffugts.export import export_model
from DiffusionSegLib.training.diffugts.pack import read_pack, write_pack
from DiffusionSegLib.training.diffugts.prepared import prepare
from DiffusionSegLib.training.diffugts.stages import networks_config, train_diffugts
from Testing.Library.training.diffugts.tiny import tiny_backbone, tiny_pack, tiny_settings
folder, told = Path(sys.argv[1]), Progress.silent()
write_pack(folder / "data.safetensors", tiny_pack())
pack, settings = read_pack(folder / "data.safetensors"), tiny_settings(twins=1, cuts=0.25)
backbone = tiny_backbone(folder / "backbone")
prepared = prepare(pack, settings, backbone, folder / "prepared", told)
config = networks_config(backbone, pack.text.shape[1])
trained = train_diffugts(pack, prepared, config, settings, folder, "cpu", told)
sys.stdout.write(export_model(trained, settings, pack, "cpu", folder / "model"))
"""


def test_training_and_export_need_only_torch_numpy_scipy_and_safetensors(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "The model is in" in done.stdout
    assert (tmp_path / "model" / "CARD.md").exists()
