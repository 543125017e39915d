from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_ways_in"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="message",
            options={
                "permissions": [("retry_message", "可重新发送消息")],
                "verbose_name": "消息",
                "verbose_name_plural": "消息",
            },
        ),
    ]
