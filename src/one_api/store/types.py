"""Column types whose spelling differs between the three engines, as One API's tables have them.

SQLite, MySQL and PostgreSQL are named in this order wherever a type is explained.
"""

from typing import Any

from sqlalchemy import CHAR, REAL, BigInteger, Boolean, Dialect, Double, Integer, Numeric, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

# integer / bigint / bigint. Only "INTEGER PRIMARY KEY" numbers rows by itself in SQLite.
Whole = BigInteger().with_variant(Integer(), "sqlite")

# real / double / numeric
Real: TypeEngine[float] = Double().with_variant(REAL(), "sqlite").with_variant(Numeric(asdecimal=False), "postgresql")

# text / varchar(191) / text: what MySQL can index or give a default.
Short = Text().with_variant(String(191), "mysql")


class Unsigned(TypeDecorator[int]):
    """integer / bigint unsigned / bigint: the weight of a channel."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "mysql":
            return Integer() if dialect.name == "sqlite" else self.impl_instance
        from sqlalchemy.dialects.mysql import BIGINT  # noqa: PLC0415  # loaded by who speaks it

        return BIGINT(unsigned=True)


class Long(TypeDecorator[str]):
    """text / longtext / text."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "mysql":
            return self.impl_instance
        from sqlalchemy.dialects.mysql import LONGTEXT  # noqa: PLC0415  # as above

        return LONGTEXT()


class Flag(TypeDecorator[bool]):
    """numeric / tinyint(1) / boolean; NULL stays None."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Numeric(asdecimal=False))
        return dialect.type_descriptor(Boolean())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:  # noqa: FBT001 - SQLAlchemy's signature
        if value is None or dialect.name != "sqlite":
            return value
        return int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else bool(value)


class Char(TypeDecorator[str]):
    """char(n) everywhere. PostgreSQL pads it with blanks and MySQL's default collation ignores case.

    Trailing blanks are taken off here. Whoever looks up a secret compares what he found with what he sought, byte for
    byte.
    """

    impl = CHAR
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else str(value).rstrip(" ")
