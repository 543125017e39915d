"""Activation codes for tests: `make_codes` gives those of a paid order."""

from datetime import datetime
from io import BytesIO
from typing import Any

import factory
from openpyxl import Workbook

from accounts.models import User
from catalog.models import Plan
from orders.models import ActivationCode, Order
from orders.rules import make_secret
from orders.services.codes import issue_codes
from portal.lib.spreadsheet import write_sheet
from tests.factories.orders import (
    PLACED_AT,
    OrderFactory,
    OrderLineFactory,
    make_endless_plan,
)

HEADS = ("姓名", "账号（用户名、手机号码或身份证号码，任填一项）")


def make_codes_order(
    owner: User, plan: Plan, quantity: int = 3, **fields: object
) -> Order:
    """An order for codes, unpaid unless a trait says otherwise; it has issued none."""
    total = plan.price_fen * quantity
    order: Order = OrderFactory(
        **({"buyer": owner, "kind": Order.Kind.CODES, "total_fen": total} | fields)
    )
    OrderLineFactory(order=order, plan=plan, person=None, quantity=quantity)
    return order


def make_codes(
    owner: User, plan: Plan | None = None, quantity: int = 3, now: datetime = PLACED_AT
) -> list[ActivationCode]:
    """The codes of a paid order, in the order of their rows."""
    plan = plan or make_endless_plan(sells_codes=True)
    order = make_codes_order(owner, plan, quantity, paid=True)
    issue_codes(order, now=now)
    return list(ActivationCode.objects.filter(line__order=order).order_by("pk"))


class ActivationCodeFactory(factory.django.DjangoModelFactory):
    """One code without its order's other codes, for constraints."""

    class Meta:
        model = ActivationCode

    line = factory.SubFactory(OrderLineFactory, person=None)
    owner = factory.SelfAttribute("line.order.buyer")
    plan = factory.SelfAttribute("line.plan")
    issued_at = PLACED_AT

    @classmethod
    def _create(
        cls, model_class: type[ActivationCode], *args: Any, **kwargs: Any
    ) -> ActivationCode:
        code = model_class(*args, **kwargs)
        code.store_secret(make_secret())
        code.save(force_insert=True)
        return code


def make_people_sheet(*lines: tuple[str, str], heads: tuple[str, ...] = HEADS) -> bytes:
    """A filled-in template."""
    columns = [(head, 20) for head in heads]
    return write_sheet("赠送名单", columns, lines)


def make_numeric_sheet(name: str, number: int) -> bytes:
    """A sheet in which Excel holds the account as a number."""
    book = Workbook()
    sheet = book.active
    sheet.append(HEADS)
    sheet.append((name, number))
    output = BytesIO()
    book.save(output)
    return output.getvalue()
