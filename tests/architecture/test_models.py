"""Foreign keys point downwards, like imports: a string hides from a linter."""

from collections.abc import Iterable

import pytest
from django.apps import apps
from django.db import models
from django.test.utils import isolate_apps

TRAINING = frozenset({"accounts", "catalog", "learning"})
# What each app may point at besides itself and Django's own apps.
BELOW = {
    "accounts": frozenset(),
    "catalog": frozenset({"accounts"}),
    "learning": frozenset({"accounts", "catalog"}),
    "orders": TRAINING,
    "certificates": TRAINING,
    "invoices": frozenset({"accounts", "catalog", "orders"}),
    "content": TRAINING | {"orders", "certificates", "invoices"},
    "support": TRAINING | {"orders", "certificates", "invoices"},
}

# Apps of others that keep rows.
LIBRARIES = {"captcha"}


def find_upward_keys(models_to_check: Iterable[type[models.Model]]) -> list[str]:
    """Return "orders.Order.certificate -> certificates" for every key that points up or across."""
    return [
        f"{model._meta.label}.{field.name} -> {target}"
        for model in models_to_check
        if model._meta.app_label in BELOW
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model
        if (target := field.related_model._meta.app_label) in BELOW
        if target != model._meta.app_label
        if target not in BELOW[model._meta.app_label]
    ]


def test_foreign_keys_point_downwards():
    assert find_upward_keys(apps.get_models()) == []


def test_every_app_with_models_has_its_place_in_the_order():
    own = {
        model._meta.app_label
        for model in apps.get_models()
        if not model.__module__.startswith("django.")
    }

    assert own - set(BELOW) - LIBRARIES == set()


@pytest.mark.parametrize(
    ("app", "target", "fault"),
    [
        ("orders", "learning.Enrolment", []),
        ("accounts", "catalog.Plan", ["accounts.Planted.key -> catalog"]),
        ("certificates", "orders.Order", ["certificates.Planted.key -> orders"]),
        ("invoices", "learning.Enrolment", ["invoices.Planted.key -> learning"]),
    ],
)
def test_a_planted_key_is_found(app, target, fault):
    with isolate_apps(app):
        key = models.ForeignKey(apps.get_model(target), models.PROTECT)
        meta = type("Meta", (), {"app_label": app})
        attributes = {"__module__": __name__, "key": key, "Meta": meta}
        planted = type("Planted", (models.Model,), attributes)

    assert find_upward_keys([planted]) == fault
