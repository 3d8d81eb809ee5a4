from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.network import section
from DiffusionSegLib.progress import Progress


def test_names_of_what_is_set_and_no_values():
    variables = {
        "https_proxy": "http://ann:pw@proxy", "NO_PROXY": "", "HF_ENDPOINT": "https://m.example",
        "HF_TOKEN": "hf_1", "DIFFUSIONSEG_MIRROR": "https://m.example", "CUDA_VISIBLE_DEVICES": "0",
        "SSL_CERT_FILE": "/a", "EDITOR": "vi", "AWS_SECRET_ACCESS_KEY": "x", "MY_HF_TOKEN": "y",
    }  # fmt: skip
    found = section(Examined((), False, variables), Progress.silent())
    assert found.lines == (
        "CUDA_VISIBLE_DEVICES, DIFFUSIONSEG_MIRROR, HF_ENDPOINT, HF_TOKEN, SSL_CERT_FILE, "
        "https_proxy",
    )
    assert found.facts["set"] == found.lines[0].split(", ")


def test_nothing_set():
    assert section(Examined((), False, {}), Progress.silent()).lines == ("none",)
