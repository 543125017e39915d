"""How the pictures of captchas look: dark digits, paler noise that people read through.

The library's own noise has the colour of its letters. No sound: it would need programs on
the server, and the page names a telephone number for who cannot see the picture.
"""

CAPTCHA = {
    "CAPTCHA_FONT_SIZE": 42,
    "CAPTCHA_IMAGE_SIZE": (150, 56),
    "CAPTCHA_LETTER_ROTATION": (-22, 22),
    "CAPTCHA_BACKGROUND_COLOR": "#faf8f3",
    # Of the noise; the digits have colours of their own.
    "CAPTCHA_FOREGROUND_COLOR": "#a59a86",
    "CAPTCHA_LETTER_COLOR_FUNCT": "portal.captcha.digit_colour",
    "CAPTCHA_FLITE_PATH": None,
    "CAPTCHA_2X_IMAGE": False,
}
_COLOURS = ("#7a1518", "#1f4275", "#5b4210", "#2c5f34")


def digit_colour(place: int, text: str) -> str:
    """Ink of the site, another for each digit."""
    return _COLOURS[place % len(_COLOURS)]
