"""What HTML an article may hold."""

import nh3

TAGS = {
    *("h2", "h3", "h4", "p", "br", "hr", "strong", "b", "em", "u", "sub", "sup"),
    *("ul", "ol", "li", "dl", "dt", "dd", "blockquote", "a", "span"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
URL_SCHEMES = {"http", "https", "mailto", "tel"}


def clean_html(text: str) -> str:
    """Return `text` without anything that is not plain article markup.

    Text pasted from office programs loses its styles; scripts and event handlers go.
    """
    return nh3.clean(
        text,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=URL_SCHEMES,
        link_rel="noopener",
    )
