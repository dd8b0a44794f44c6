"""Users, their tokens and sessions: who a caller is and what he may do. Options and logs live here too.

`rules` is pure; `cache` is what a relayed call asks; the other modules are use cases, one transaction each.
"""

from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from one_api.store.engine import Database

# The use cases take a database, and some a function to call in their transaction; whoever calls them gets the types
# here and needs to know nothing else of the store.
__all__ = ["Database", "Transaction"]
