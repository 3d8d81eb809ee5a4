"""The real worker with one method more, which needs no torch: python -m ...toy_worker."""

from pathlib import Path

from DiffusionSegLib import methods
from DiffusionSegLib.worker.serve import serve

TOY_METHODS = str(Path(__file__).parent / "toy_methods")

if __name__ == "__main__":
    methods.__path__.append(TOY_METHODS)
    serve()
