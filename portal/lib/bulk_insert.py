"""Inserts thousands of rows that are alike, several times cheaper than `bulk_create`.

Django adapts every value of every row by itself and parses one long statement; most columns of
such rows hold the same value anyway. PostgreSQL takes the rows by COPY, SQLite by one prepared
statement. Nothing else of Django is left out on purpose: no models with parents, no primary
keys back.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model


def insert_rows(
    model: type[Model],
    *,
    same: Mapping[str, Any],
    each: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Insert rows that agree in the columns `same` and differ in the columns `each`.

    Columns by attribute name (`person_id`). Values of `same` are Python's as a field takes
    them; those of `rows` are strings, integers, bytes or None, JSON as text. A column in
    neither gets its field's default, which must not be a function: every row would have the
    same. Raises ValueError for one that is, and Django's IntegrityError.
    """
    fields = {
        field.attname: field
        for field in model._meta.concrete_fields
        if not (field.primary_key and field.get_internal_type() == "BigAutoField")
    }
    constants = {
        name: field.get_db_prep_save(
            same[name] if name in same else _get_default(field), connection
        )
        for name, field in fields.items()
        if name not in each
    }
    names = [str(fields[name].column) for name in (*each, *constants)]
    ending = tuple(constants.values())
    _insert(model._meta.db_table, names, ((*row, *ending) for row in rows))


def _get_default(field: Any) -> Any:
    if field.has_default() and callable(field.default):
        raise ValueError(f"{field.name} needs a value for each row")
    return field.get_default()


def _insert(table: str, names: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
    quote = connection.ops.quote_name
    columns = ", ".join(map(quote, names))
    with connection.cursor() as cursor, connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {quote(table)} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * len(names))
        cursor.executemany(
            f"INSERT INTO {quote(table)} ({columns}) VALUES ({places})",  # noqa: S608
            list(rows),
        )
