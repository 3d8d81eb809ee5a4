"""The command line: translates words into a session and its answer into files."""
