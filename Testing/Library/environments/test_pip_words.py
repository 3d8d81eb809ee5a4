"""What pip says becomes progress and sentences. The texts are pip's own, of versions 23 to 26."""

import pytest

from DiffusionSegLib.environments.pip_words import PipWords, failure, lacks_version
from DiffusionSegLib.errors import InputError, OutputError

SESSION = (
    ("Collecting torch==2.13.0+cpu", "Looking for torch"),
    ("  Downloading https://download.pytorch.org/whl/cpu/torch-2.13.0%2Bcpu-cp311-cp311-"
     "manylinux_2_28_x86_64.whl (191.8 MB)", "Downloading torch (191.8 MB)"),
    ("Collecting filelock", "Looking for filelock"),
    ("  Downloading filelock-4.2.11-py3-none-any.whl.metadata (2.1 kB)", "Looking for filelock"),
    ("  Using cached filelock-4.2.11-py3-none-any.whl (48 kB)",
     "Taking filelock from an earlier download"),
    ("Processing /opt/my wheels/typing_extensions-4.16.0-py3-none-any.whl (from torch)",
     "Reading typing_extensions"),
    ("Installing collected packages: filelock, torch", "Installing filelock, torch"),
    ("Successfully installed filelock-4.2.11 torch-2.13.0+cpu", "Installing filelock, torch"),
)  # fmt: skip


def test_a_session_is_told_in_words_and_never_goes_back():
    told = PipWords(200_000_000)
    fractions = [told.fraction(0, 0)]
    for line, stage in SESSION:
        told.hear(line)
        assert told.stage == stage
        fractions.append(told.fraction(0, 0))
    assert fractions == sorted(fractions)
    assert told.fraction(0, 2) == 1.0


def test_a_large_download_shows_what_has_arrived():
    told = PipWords(200_000_000)
    told.hear(SESSION[1][0])
    assert told.words(45_100_000) == "Downloading torch (191.8 MB), 45.1 MB so far"
    assert pytest.approx(told.fraction(45_100_000, 0), rel=0.01) == 0.85 * 45.1 / 200
    assert told.fraction(10**12, 0) < 0.85


def test_many_packages_are_counted():
    told = PipWords(1)
    told.hear("Installing collected packages: " + ", ".join("abcdefgh"))
    assert told.words(0) == "Installing 8 packages"
    told.hear("  Attempting uninstall: setuptools")
    assert told.words(0, 3) == "Installing 8 packages, 3 done"


NO_NETWORK = (
    "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by "
    "'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed "
    "to establish a new connection: [Errno -2] Name or service not known')': /simple/scipy/",
    "ERROR: Could not find a version that satisfies the requirement scipy (from versions: none)",
    "ERROR: No matching distribution found for scipy",
)


@pytest.mark.parametrize(
    ("lines", "kind", "parts"),
    [
        (NO_NETWORK, InputError, ("network", "offline bundle", "HTTPS_PROXY", "kept")),
        (
            ("WARNING: Retrying (Retry(total=0)) after connection broken by 'ProxyError('Cannot "
             "connect to proxy.', OSError('Tunnel connection failed: 407 Proxy Authentication "
             "Required'))': /simple/torch/", *NO_NETWORK[1:]),
            InputError, ("login (407)", "http://NAME:PASSWORD@HOST:PORT"),
        ),
        (
            ("'ProxyError('Cannot connect to proxy.', NewConnectionError(...))'", NO_NETWORK[2]),
            InputError, ("proxy", "does not answer", "Correct its address"),
        ),
        (
            ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate "
             "verify failed: self-signed certificate in certificate chain (_ssl.c:992)'))",
             NO_NETWORK[2]),
            InputError, ("certificate", "PIP_CERT"),
        ),
        (
            ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on "
             "device",),
            OutputError, ("disk became full", "DIFFUSIONSEG_ENVIRONMENT", "kept"),
        ),
        (
            ("ERROR: Could not install packages due to an OSError: [WinError 206] The filename or "
             "extension is too long: 'C:\\\\Users'",),
            InputError, ("too long for Windows", "enable-long-paths"),
        ),
        (
            ("ERROR: Could not install packages due to an OSError: [Errno 2] No such file or "
             "directory: 'C:\\\\x'",
             "HINT: This error might have occurred since this system does not have Windows Long "
             "Path support enabled."),
            InputError, ("too long for Windows",),
        ),
        (
            ("ERROR: Could not install packages due to an OSError: [WinError 32] The process cannot"
             " access the file because it is being used by another process: 'x.pyd'",),
            OutputError, ("x.pyd", "virus scanner"),
        ),
        (
            ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",),
            InputError, ("arrived damaged",),
        ),
        (
            ("ERROR: Could not find a version that satisfies the requirement scipy>=1.11 (from "
             "versions: 1.9, 1.10)", "ERROR: No matching distribution found for scipy>=1.11"),
            InputError, ("no package scipy>=1.11 for Python 3.14 (/env)", "python.org"),
        ),
        (
            ("ERROR: scipy-1.17.1-cp312-cp312-win_amd64.whl is not a supported wheel on this "
             "platform.",),
            InputError, ("no package torch for Python 3.14", "not a supported wheel"),
        ),
        (("something else went wrong",), InputError, ("something else went wrong", "Start again")),
        ((), InputError, ("nothing",)),
    ],
)  # fmt: skip
def test_each_failure_has_its_sentence(lines, kind, parts):
    error = failure(lines, "torch", "Python 3.14 (/env)", False)
    assert isinstance(error, kind)
    assert "\n" not in str(error)
    for part in parts:
        assert part in str(error), str(error)


def test_what_lacks_in_a_folder_of_wheels_is_named():
    lines = ("ERROR: No matching distribution found for filelock",)
    error = str(failure(lines, "torch", "Python 3.11 (/env)", True))
    assert "has no filelock for Python 3.11" in error and "--with-wheels" in error


def test_an_index_without_that_build_is_told_from_no_network():
    assert not lacks_version(NO_NETWORK)
    assert lacks_version(
        ("ERROR: Could not find a version that satisfies the requirement torch==2.13.0+cpu (from "
         "versions: 2.12.1, 2.13.0)",)
    )  # fmt: skip
    assert lacks_version(("ERROR: ResolutionImpossible: for help visit https://pip.pypa.io",))
