"use strict";

// Read by video.js while it loads: without them it writes styles into the page, which the
// content security policy forbids, and talks to its makers.
window.VIDEOJS_NO_DYNAMIC_STYLE = true;
window.HELP_IMPROVE_VIDEOJS = false;
