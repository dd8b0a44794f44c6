"""The commands of `one-api`, one module each: `run` takes the words after its name and returns the exit status."""
