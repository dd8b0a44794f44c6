"""Users, their tokens and sessions: who a caller is and what he may do. Options and logs live here too.

`rules` is pure; `cache` is what a relayed call asks; the other modules are use cases, one transaction each.
"""
