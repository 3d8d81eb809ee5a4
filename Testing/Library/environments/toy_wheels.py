"""Tiny wheels built by hand, so that a real pip makes a real environment within seconds."""

import base64
import hashlib
import sys
import sysconfig
import zipfile
from pathlib import Path

from packaging.requirements import Requirement

from DiffusionSegLib.environments.packages import packages
from DiffusionSegLib.environments.torch_builds import PINNED

# What a worker asks of torch when it says who it is.
GOOD_TORCH = f'''
__version__ = "{PINNED}+cpu"
class _Nothing:
    cuda = hip = None
    @staticmethod
    def is_available(): return False
    @staticmethod
    def is_built(): return False
    @staticmethod
    def device_count(): return 0
version = cuda = xpu = _Nothing
class backends: mps = _Nothing
def get_num_threads(): return 1
'''
BROKEN_TORCH = "raise ImportError('libc10.so: cannot open shared object file')\n"
REAL_MODULES = """
import sys
from importlib.machinery import PathFinder
class Real:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if path is None and name not in ("torch", "DiffusionSegLib"):
            return PathFinder.find_spec(name, [{folder!r}])
sys.meta_path.append(Real)
"""
VERSIONS = {
    "numpy": "2.4.6", "torch": f"{PINNED}+cpu", "safetensors": "0.8.0", "SimpleITK": "2.5.7",
    "pillow": "13.0.0", "scipy": "1.17.1", "rich": "15.0.0", "packaging": "26.3",
}  # fmt: skip


def write_wheel(folder, name, version, files=(), needs=(), tag="py3-none-any"):
    """files: name to text."""
    plain = name.replace("-", "_")
    info = f"{plain}-{version}.dist-info"
    contents = dict(files)
    contents[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + (
        "".join(f"Requires-Dist: {one}\n" for one in needs)
    )
    contents[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
    rows = []
    for path, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        rows.append(f"{path},sha256={digest.decode()},{len(text.encode())}")
    contents[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{plain}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in contents.items():
            member = zipfile.ZipInfo(path)
            member.external_attr = (0o100755 if "/scripts/" in path else 0o100644) << 16
            archive.writestr(member, text)
    return wheel


def write_wheels(folder, torch=GOOD_TORCH, without=(), more_torch_files=()):
    """All that the engine needs. Stand-ins, but the worker needs the real numpy and its like: the
    wheel of numpy lets it import those of the Python that runs the tests, unseen by pip."""
    for package in packages():
        name = Requirement(package.requirement).name
        if name in without:
            continue
        files = {}
        if name == "torch":
            files = {"torch/__init__.py": torch, **dict(more_torch_files)}
        if name == "numpy":
            code = REAL_MODULES.format(folder=sysconfig.get_path("purelib"))
            files = {"toy_numpy.pth": "import _toy_numpy\n", "_toy_numpy.py": code}
        write_wheel(folder, name, VERSIONS[name], files)
    return folder


def base_python():
    """The Python behind the virtual environment of the tests."""
    return Path(getattr(sys, "_base_executable", sys.executable))
