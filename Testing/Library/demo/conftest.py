from Testing.Library.cli.fixtures import photograph, smoothing, volume

__all__ = ["photograph", "smoothing", "volume"]
