"""One API in Python: one endpoint, many models, keys and quota."""

__version__ = "1.0.0"
