"use strict";

// What the learner chose on this device, kept for the next chapter. Some browsers forbid the
// storage in private windows: there every page begins anew.
(() => {
  const PREFIX = "portal-player-";

  function recall(name) {
    try {
      return window.localStorage.getItem(PREFIX + name) || "";
    } catch (error) {
      return "";
    }
  }

  function keep(name, value) {
    try {
      window.localStorage.setItem(PREFIX + name, value);
    } catch (error) {
      // Forbidden or full: the choice holds for this page only.
    }
  }

  // Captions stay on or off as they were left.
  function rememberCaptions(player) {
    const tracks = player.textTracks();
    const captions = () => Array.from(tracks).filter((track) => track.kind === "captions");
    player.ready(() => {
      const wanted = recall("captions");
      if (wanted) {
        captions().forEach((track) => {
          track.mode = wanted === "on" ? "showing" : "disabled";
        });
      }
      tracks.addEventListener("change", () => {
        const isOn = captions().some((track) => track.mode === "showing");
        keep("captions", isOn ? "on" : "off");
      });
    });
  }

  function toggleCaptions(player) {
    const track = Array.from(player.textTracks()).find((each) => each.kind === "captions");
    if (track) {
      track.mode = track.mode === "showing" ? "disabled" : "showing";
    }
  }

  window.PortalChoices = { recall, keep, rememberCaptions, toggleCaptions };
})();
