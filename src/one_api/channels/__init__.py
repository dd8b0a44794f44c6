"""Channels as operators keep them: rows, what they may say, and the table of routes that calls are planned with."""

from one_api.channels.queries import disable, enable, load_routes

__all__ = ["disable", "enable", "load_routes"]
