"""Columns as both halves of the schema have them, and the collection of all tables."""

from typing import Any

from sqlalchemy import Column, MetaData, String, TextClause, text

from one_api.store.types import Flag, Short, Whole

metadata = MetaData()

EMPTY = text("''")


def identity() -> Column[Any]:
    return Column("id", Whole, primary_key=True, autoincrement=True)


def whole(name: str, default: int | None = None) -> Column[Any]:
    return Column(name, Whole, server_default=None if default is None else text(str(default)))


def short(name: str, default: TextClause | None = None) -> Column[Any]:
    return Column(name, Short, server_default=default)


def flag(name: str) -> Column[Any]:
    return Column(name, Flag, server_default=text("false"))


def count(name: str) -> Column[Any]:
    return Column(name, Whole, nullable=False, server_default=text("0"))


def word(name: str, length: int) -> Column[Any]:
    return Column(name, String(length), nullable=False, server_default=EMPTY)
