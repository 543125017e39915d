from django.db import migrations

from accounts.services.reference_data import load_roles


def grant_roles(apps, schema_editor):
    """The roles have grown by hours of units, appeals, corrections of credit and flags."""
    load_roles()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_app_tokens"),
    ]

    operations = [
        migrations.RunPython(grant_roles, migrations.RunPython.noop),
    ]
