from tests.store.fixtures import store
from tests.store.made import made_in_mariadb, made_in_postgres, made_in_sqlite, mariadb, postgres, sqlite

__all__ = ["made_in_mariadb", "made_in_postgres", "made_in_sqlite", "mariadb", "postgres", "sqlite", "store"]
