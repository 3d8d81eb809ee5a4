"""For all tests: one thread, so that small networks are fast beside other work and repeatable."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
# What runs take on this computer is not learned from tests.
os.environ.setdefault("DIFFUSIONSEG_RATES", "")
