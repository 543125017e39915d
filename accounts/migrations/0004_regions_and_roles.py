"""Every installation has the regions of Chongqing and the staff's roles."""

from django.db import migrations

from accounts.services.reference_data import load_regions, load_roles


def load(apps, schema_editor):
    load_regions(region_model=apps.get_model("accounts", "Region"))
    load_roles()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_audit_append_only"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
