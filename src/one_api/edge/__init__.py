"""Everything HTTP on the clients' side."""
