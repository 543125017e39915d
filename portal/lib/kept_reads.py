"""Reads whose SQL Django builds once per process.

Building the SQL of a query set costs three times as much CPU as PostgreSQL spends on answering
it. Pages that everybody opens, and whatever learners' browsers ask every few seconds, declare
their reads here once and fill in values at each call:

    PLANS = KeptRead(
        lambda: Plan.objects.filter(year=Parameter("year", IntegerField())).values_list("code")
    )
    PLANS.rows(year=2026)
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler


class Parameter(Expression):
    """A place in the SQL of a `KeptRead` for a value of the type of `field`."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)

    def adapt(self, value: Any) -> Any:
        """Return `value` as the database's driver takes it."""
        return self.output_field.get_db_prep_value(value, connection)


@functools.cache
def column_names(model: type[Model]) -> tuple[str, ...]:
    """The columns that `model.from_db` makes an instance of, in their order."""
    return tuple(field.attname for field in model._meta.concrete_fields)


@dataclass(frozen=True)
class _Compiled:
    sql: str
    params: tuple[Any, ...]
    compiler: SQLCompiler
    converters: dict[int, Any]


class KeptRead:
    """A query set of plain values (`values_list`) with `Parameter`s in its filters."""

    def __init__(self, build: "Callable[[], QuerySet[Any, Any]]") -> None:
        self._build = build
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Run the read with these values; one query. Raises KeyError for a missing one."""
        kept = self._compiled.get(connection.vendor) or self._compile()
        params = [
            each.adapt(values[each.name]) if isinstance(each, Parameter) else each
            for each in kept.params
        ]
        with connection.cursor() as cursor:
            cursor.execute(kept.sql, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        if not kept.converters:
            return rows
        converted = kept.compiler.apply_converters(rows, kept.converters)
        return [tuple(row) for row in converted]

    def _compile(self) -> _Compiled:
        compiler = self._build().query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        columns = [expression for expression, _, _ in compiler.select]
        kept = _Compiled(sql, tuple(params), compiler, compiler.get_converters(columns))
        self._compiled[connection.vendor] = kept
        return kept
