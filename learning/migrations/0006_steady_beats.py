from django.db import migrations, models


def leave_room_in_pages(apps, schema_editor):
    """A new version of a clock fits beside the old one, so that no index is touched."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE learning_personclock SET (fillfactor = 50)")


def fill_pages_again(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE learning_personclock RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0005_unit_hours"),
    ]

    operations = [
        migrations.AddField(
            model_name="playsession",
            name="beats",
            field=models.PositiveIntegerField(default=0, verbose_name="计时次数"),
        ),
        migrations.AddField(
            model_name="playsession",
            name="jitter_ms",
            field=models.PositiveIntegerField(
                default=0, verbose_name="计时间隔偏差合计（毫秒）"
            ),
        ),
        migrations.RenameField(
            model_name="personclock", old_name="session_key", new_name="login"
        ),
        migrations.AlterField(
            model_name="personclock",
            name="login",
            field=models.CharField(
                blank=True, max_length=64, verbose_name="登录会话编号"
            ),
        ),
        # Made anew behind what a steady beat writes; a repeat that waits at this moment is
        # told that it earned nothing.
        migrations.RemoveField(model_name="personclock", name="last_answer"),
        migrations.AddField(
            model_name="personclock",
            name="beats",
            field=models.PositiveIntegerField(default=0, verbose_name="计时次数"),
        ),
        migrations.AddField(
            model_name="personclock",
            name="jitter_ms",
            field=models.PositiveIntegerField(
                default=0, verbose_name="计时间隔偏差合计（毫秒）"
            ),
        ),
        migrations.AddField(
            model_name="personclock",
            name="last_gained_ms",
            field=models.PositiveIntegerField(
                null=True, verbose_name="上次计入（毫秒）"
            ),
        ),
        migrations.AddField(
            model_name="personclock",
            name="run_from_ms",
            field=models.PositiveIntegerField(
                default=0, verbose_name="连续播放起点（毫秒）"
            ),
        ),
        migrations.AddField(
            model_name="personclock",
            name="run_limit_ms",
            field=models.PositiveIntegerField(
                default=0, verbose_name="连续播放上限（毫秒）"
            ),
        ),
        migrations.AddField(
            model_name="personclock",
            name="last_answer",
            field=models.JSONField(default=dict, verbose_name="上次应答"),
        ),
        # Nothing waits: everything earned so far is in the chapters' progress.
        migrations.RunSQL(
            "UPDATE learning_personclock SET run_from_ms = last_position_ms, "
            "run_limit_ms = last_position_ms",
            migrations.RunSQL.noop,
        ),
        migrations.RunPython(leave_room_in_pages, fill_pages_again),
    ]
