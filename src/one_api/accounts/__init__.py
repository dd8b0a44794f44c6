"""Users, their tokens and sessions: who a caller is and what he may do. Options and logs live here too.

`rules` is pure; `cache` is what a relayed call asks; the other modules are use cases, one transaction each.
"""

from one_api.store.engine import Database

# The use cases take a database; whoever calls them gets its type here and needs to know nothing else of the store.
__all__ = ["Database"]
