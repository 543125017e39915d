"use strict";

// Faster than normal only where everything was learnt before, and only as fast as the plan
// allows; slower always. The server's clock decides what counts in any case.
(() => {
  const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
  const NORMAL = 1;
  // Players tell their position four times a second: look as far ahead as the fastest gets.
  const LOOK_AHEAD_MS = 500;
  const NEW_PART = "未学部分按 1 倍速计时";

  // `on` holds: isReview(ms) whether that moment was learnt before, position() in
  // milliseconds, changed() after a change of speed, hint(text).
  class SpeedLimit {
    constructor(player, fastest, on) {
      this.player = player;
      this.on = on;
      this.speeds = SPEEDS.filter((speed) => speed <= Math.max(NORMAL, fastest));
      this.speed = NORMAL;
      player.playbackRates(this.speeds);
      player.on("ratechange", () => this.check());
      player.on("timeupdate", () => this.check());
    }

    allowed(speed) {
      if (!this.speeds.includes(speed)) {
        return NORMAL;
      }
      const here = this.on.position();
      const isReview = this.on.isReview(here) && this.on.isReview(here + LOOK_AHEAD_MS);
      return isReview ? speed : Math.min(speed, NORMAL);
    }

    check() {
      const speed = this.player.playbackRate();
      const allowed = this.allowed(speed);
      if (speed !== allowed) {
        this.on.hint(NEW_PART);
        // The change of it leads here again.
        this.player.playbackRate(allowed);
      } else if (speed !== this.speed) {
        this.speed = speed;
        this.on.changed();
      }
    }
  }

  window.PortalSpeed = { SpeedLimit };
})();
