"""The database itself refuses to change audit entries, whatever a program tries."""

from django.db import migrations

POSTGRESQL = """
CREATE FUNCTION accounts_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are append-only';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION accounts_audit_append_only();
"""
POSTGRESQL_BACK = """
DROP TRIGGER audit_append_only ON accounts_auditentry;
DROP FUNCTION accounts_audit_append_only();
"""
# Deleting stays possible here: Django empties the tables of transactional tests by DELETE
# where PostgreSQL has TRUNCATE. The chain and its head tell of a missing row anyway.
SQLITE = """
CREATE TRIGGER audit_append_only BEFORE UPDATE ON accounts_auditentry
BEGIN
    SELECT RAISE(ABORT, 'audit entries are append-only');
END;
"""


def add_triggers(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    schema_editor.execute(
        {"postgresql": POSTGRESQL, "sqlite": SQLITE}[vendor], params=None
    )


def remove_triggers(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_BACK, params=None)
    else:
        schema_editor.execute("DROP TRIGGER audit_append_only", params=None)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_audit_chain_and_throttles")]

    operations = [migrations.RunPython(add_triggers, remove_triggers)]
