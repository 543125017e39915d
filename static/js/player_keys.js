"use strict";

// The keyboard while the player has the focus (so no key is taken from a field or from a
// screen reader elsewhere), and the dialog that lists the keys.
(() => {
  const SKIP_SECONDS = 10;
  const VOLUME_STEP = 0.1;

  // `on` holds: playOn() to start playing.
  function listenToKeys(player, on) {
    const { toggleCaptions } = window.PortalChoices;
    const help = document.getElementById("player-keys");

    const skip = (seconds) => player.currentTime(Math.max(0, player.currentTime() + seconds));
    const louder = (step) => {
      player.muted(false);
      player.volume(Math.min(1, Math.max(0, player.volume() + step)));
    };
    const toggle = () => (player.paused() ? on.playOn() : player.pause());
    const fill = () => (
      player.isFullscreen() ? player.exitFullscreen() : player.requestFullscreen()
    );
    const actions = {
      " ": toggle,
      k: toggle,
      ArrowLeft: () => skip(-SKIP_SECONDS),
      ArrowRight: () => skip(SKIP_SECONDS),
      ArrowUp: () => louder(VOLUME_STEP),
      ArrowDown: () => louder(-VOLUME_STEP),
      m: () => player.muted(!player.muted()),
      f: fill,
      c: () => toggleCaptions(player),
      "?": () => help.showModal(),
    };

    document.querySelector("[data-keys-open]").addEventListener("click", () => {
      help.showModal();
    });

    return (event) => {
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const act = actions[key];
      if (act && !event.ctrlKey && !event.altKey && !event.metaKey) {
        event.preventDefault();
        act();
      }
    };
  }

  window.PortalKeys = { listenToKeys };
})();
