"""The ways to buy a plan, as tabs over the page of each: for oneself, for a unit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.urls import reverse

from catalog.models import Plan
from orders.models import Order


@dataclass(frozen=True)
class Way:
    """One way to buy: its word at each entry, the address that takes a plan's code, and
    which plans offer it."""

    kind: Order.Kind
    words: Mapping[int, str]
    address: str
    is_offered: Callable[[Plan], bool] = lambda plan: True


@dataclass(frozen=True)
class Tab:
    label: str
    url: str
    is_current: bool


# A further way is a line here; its page shows the same tabs.
WAYS: list[Way] = [
    Way(
        Order.Kind.PERSONAL,
        {Plan.Entry.ONE: "个人购买", Plan.Entry.TWO: "个人报名"},
        "orders:checkout",
    ),
    Way(
        Order.Kind.GROUP,
        {Plan.Entry.ONE: "团体购买", Plan.Entry.TWO: "团体报名"},
        "orders:group-start",
    ),
    Way(
        Order.Kind.CODES,
        {Plan.Entry.ONE: "购买激活码", Plan.Entry.TWO: "购买激活码"},
        "orders:codes-checkout",
        lambda plan: plan.sells_codes,
    ),
]


def list_ways(plan: Plan, current: Order.Kind) -> list[Tab]:
    """Every way to buy this plan, in the words of its entry."""
    return [
        Tab(
            label=way.words[plan.entry],
            url=reverse(way.address, args=[plan.code]),
            is_current=way.kind == current,
        )
        for way in WAYS
        if way.is_offered(plan)
    ]
