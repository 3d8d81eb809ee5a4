"""Training on a machine that has torch, numpy and safetensors and nothing else of ours."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
PROGRAM = """
import sys
for name in ("SimpleITK", "scipy", "PIL", "monai", "rich", "platformdirs", "tensorboard"):
    sys.modules[name] = None
from pathlib import Path
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.cdal import command, export
from DiffusionSegLib.training.cdal.pack import read_pack, write_pack
from DiffusionSegLib.training.cdal.trainer import Trainer
from Testing.Library.training.cdal.tiny_task import disc_pack, tiny_task
folder = Path(sys.argv[1])
write_pack(folder / "data.safetensors", disc_pack().parts)
trainer = Trainer(tiny_task(steps=2), read_pack(folder / "data.safetensors"), folder)
trainer.run(Progress.silent())
sys.stdout.write(str(trainer.step))
"""


def test_training_needs_only_torch_numpy_and_safetensors(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2"
    assert (tmp_path / "checkpoint.pt").exists()
