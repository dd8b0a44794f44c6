from tests.store.fixtures import store

__all__ = ["store"]
