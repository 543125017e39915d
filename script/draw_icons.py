"""Draws the app's icons (static/img/app) from the emblem; run after the emblem has changed.

    .venv/bin/python script/draw_icons.py

Chromium draws: CHROMIUM names its program.
"""

import os
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).resolve().parent.parent / "static/img"
RED = "#9a1f23"
# Name, size, how much of it the emblem takes, ground. Systems cut maskable icons to any shape
# within four fifths of the width; iOS shows no transparency.
ICONS = (
    ("icon-192.png", 192, 1.0, "transparent"),
    ("icon-512.png", 512, 1.0, "transparent"),
    ("maskable-512.png", 512, 0.82, RED),
    ("apple-touch-180.png", 180, 0.9, RED),
)


def main() -> None:
    """Write every icon anew."""
    emblem = (IMAGES / "emblem.svg").read_text()
    program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"]
        )
        page = browser.new_page()
        for name, size, share, ground in ICONS:
            page.set_viewport_size({"width": size, "height": size})
            page.set_content(
                f"<style>html, body {{ margin: 0; height: 100%; background: {ground} }}"
                "body { display: grid; place-items: center }"
                f"svg {{ width: {share:.0%}; height: {share:.0%} }}</style>{emblem}"
            )
            target = IMAGES / "app" / name
            page.screenshot(path=target, omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
