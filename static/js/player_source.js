"use strict";

// Where the picture comes from: the HLS stream where there is one, else the MP4. Signed
// addresses end after some hours, and lines break: a fresh address takes up at the same place.
(() => {
  const FRESH_MS = 30000;
  const RETRY_MS = 5000;
  // What an address that ran out, or a file that went away, is answered with.
  const GONE = [403, 404, 410];
  const HAVE_FUTURE_DATA = 3;

  // `on` holds: renew() -> Promise of whether fresh addresses came (through `take`),
  // position() in milliseconds, hasPlayed(), wantsToPlay(), play(), failed() when nothing helps.
  class VideoSource {
    constructor(player, config, on) {
      this.player = player;
      this.on = on;
      this.renewedAt = -FRESH_MS;
      this.isRenewing = false;
      this.isStreamBroken = false;
      this.isFailing = false;
      this.place = null;
      this.take(config);
      player.on("error", () => this.replace());
      player.on("loadedmetadata", () => this.takeUp());
      videojs.Vhs.xhr.onResponse((request, error, { statusCode } = {}) => {
        this.isFailing = Boolean(error) || statusCode >= 500;
        if (GONE.includes(statusCode)) {
          this.replace();
        }
      });
      window.setInterval(() => this.recover(), RETRY_MS);
      player.src(this.list());
    }

    // Addresses as the page and the opening of a session name them.
    take({ video, stream }) {
      this.video = video || this.video;
      this.stream = stream || this.stream;
    }

    list() {
      const video = { src: this.video, type: "video/mp4" };
      const stream = { src: this.stream, type: "application/x-mpegURL" };
      return this.stream && !this.isStreamBroken ? [stream, video] : [video];
    }

    // Before the first play the page is as fresh as its addresses, and asking for others
    // would end the session of another device.
    get isFresh() {
      return !this.on.hasPlayed() || performance.now() - this.renewedAt < FRESH_MS;
    }

    async replace() {
      if (this.isRenewing) {
        return;
      }
      if (!navigator.onLine) {
        this.tryLater();
      } else if (!this.isFresh) {
        await this.renew();
      } else if (this.stream && !this.isStreamBroken) {
        this.isStreamBroken = true;
        this.load();
      } else {
        this.on.failed();
      }
    }

    async renew() {
      this.isRenewing = true;
      const isRenewed = await this.on.renew();
      this.isRenewing = false;
      if (isRenewed) {
        this.renewedAt = performance.now();
        this.load();
      } else {
        this.tryLater();
      }
    }

    tryLater() {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.replace(), RETRY_MS);
    }

    // VHS gives up after a failed request or two; what it has loaded plays to its end first.
    recover() {
      if (this.isFailing && this.player.readyState() < HAVE_FUTURE_DATA && navigator.onLine) {
        this.isFailing = false;
        this.load();
      }
    }

    load() {
      this.place = { position: this.on.position(), wantsToPlay: this.on.wantsToPlay() };
      this.player.src(this.list());
    }

    takeUp() {
      if (this.place) {
        const { position, wantsToPlay } = this.place;
        this.place = null;
        this.player.currentTime(position / 1000);
        if (wantsToPlay) {
          this.on.play();
        }
      }
    }
  }

  window.PortalSource = { VideoSource };
})();
