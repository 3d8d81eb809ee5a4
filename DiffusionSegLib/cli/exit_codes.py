"""What a script can tell from the exit code."""

OK = 0
NOT_FOUND = 1  # ran well, but the object is not in the image: nothing was written
BAD_INPUT = 2  # the input, the weights, the device or the output cannot be used
INTERNAL_ERROR = 3  # a mistake in the program; a crash report was written
INTERRUPTED = 130  # Ctrl-C
