"""Emptying the tables after a test with real transactions.

Django's `flush` empties every table (on PostgreSQL it makes new files for each and its indexes,
and waits for the disk) and enters content types and permissions anew, in some eighty queries.
A test fills a few tables, and those two hold the same before and after.
"""

from functools import cache

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase

# What `migrate` enters for every model; it depends on the code alone.
KEPT_TABLES = {"django_content_type", "auth_permission"}
# Those that PostgreSQL guards against changes: the audit trail, prices.
GUARDED_TABLES = """
    SELECT DISTINCT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE NOT tgisinternal
"""


def empty_tables_after_tests() -> None:
    """Let each test with real transactions end with `empty_tables` in place of `flush`."""
    TransactionTestCase._fixture_teardown = _empty_tables_of_test  # type: ignore[method-assign]


def _empty_tables_of_test(_test: TransactionTestCase) -> None:
    empty_tables()


def empty_tables() -> None:
    """Delete all rows but those of KEPT_TABLES; sequences go on, as after `flush`."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # As TRUNCATE does, wait for whoever is still writing.
            cursor.execute(f"LOCK TABLE {', '.join(list_tables())} IN EXCLUSIVE MODE")
        filled = _find_filled(cursor)
        if not filled:
            return
        statements = [f"DELETE FROM {table}" for table in filled]
        if connection.vendor == "postgresql":
            statements = _past_guards(cursor, filled, statements)
        for statement in statements:
            cursor.execute(statement)


@cache
def list_tables() -> list[str]:
    """The quoted names of the tables that tests write to."""
    names = connection.introspection.django_table_names(only_existing=True)
    return [connection.ops.quote_name(name) for name in {*names} - KEPT_TABLES]


def _find_filled(cursor: CursorWrapper) -> list[str]:
    cursor.execute(
        " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})"
            for table in list_tables()
        )
    )
    return [table for (table,) in cursor.fetchall()]


def _past_guards(
    cursor: CursorWrapper, tables: list[str], statements: list[str]
) -> list[str]:
    cursor.execute(GUARDED_TABLES)
    guarded = {connection.ops.quote_name(name) for (name,) in cursor.fetchall()}
    alter = [f"ALTER TABLE {table}" for table in tables if table in guarded]
    return [
        *(f"{each} DISABLE TRIGGER USER" for each in alter),
        *statements,
        # A table whose foreign keys are yet to be checked cannot be altered.
        "SET CONSTRAINTS ALL IMMEDIATE",
        *(f"{each} ENABLE TRIGGER USER" for each in alter),
    ]
