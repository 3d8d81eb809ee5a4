"""The things the engine talks about; importing them needs no torch."""
