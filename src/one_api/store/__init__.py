"""The database: tables, addresses, connections, migrations."""
