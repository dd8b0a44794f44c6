"""Small pure tools with no knowledge of the gateway."""
