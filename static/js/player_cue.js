"use strict";

// What calls the learner to a question: a short tone, a vibration, and words in the title of a
// page that is in the background.
(() => {
  const KEY = "prompt-sound";
  const OFF = "off";
  const TONES = [[0, 660], [0.22, 880]];
  const LENGTH = 0.2;
  const VOLUME = 0.12;
  const VIBRATION = [200, 100, 200];
  const BLINK_MS = 1000;

  // Storage may be closed to the page: then the choice holds until it is left.
  function recall() {
    try {
      return window.localStorage.getItem(KEY);
    } catch (error) {
      return null;
    }
  }

  function remember(value) {
    try {
      window.localStorage.setItem(KEY, value);
    } catch (error) {
      // Nothing to do: see above.
    }
  }

  class Cue {
    // `toggle` is the switch of the sound, `isMuted` tells whether the video is.
    constructor(toggle, isMuted) {
      this.toggle = toggle;
      this.isMuted = isMuted;
      this.title = document.title;
      toggle.checked = recall() !== OFF;
      toggle.addEventListener("change", () => {
        remember(toggle.checked ? "on" : OFF);
        if (toggle.checked) {
          this.sound();
        }
      });
      // iOS plays no tone of a page that was not begun by a touch: begin it at the first one.
      ["click", "keydown"].forEach((name) => {
        document.addEventListener(name, () => this.arm(), { once: true });
      });
    }

    arm() {
      const Context = window.AudioContext || window.webkitAudioContext;
      try {
        this.audio = this.audio || (Context ? new Context() : null);
        // Suspended before the first touch; iOS calls it interrupted after a call.
        if (this.audio && this.audio.state !== "running") {
          this.audio.resume().catch(() => {});
        }
      } catch (error) {
        // No sound device: the dialog is there all the same.
        this.audio = null;
      }
    }

    call() {
      if (this.toggle.checked && !this.isMuted()) {
        this.sound();
      }
      // A page that was never touched may not vibrate; asking would only be noted as a fault.
      const { userActivation } = navigator;
      if (navigator.vibrate && (!userActivation || userActivation.hasBeenActive)) {
        navigator.vibrate(VIBRATION);
      }
      this.blink();
    }

    sound() {
      this.arm();
      if (!this.audio) {
        return;
      }
      TONES.forEach(([start, pitch]) => {
        const tone = this.audio.createOscillator();
        const volume = this.audio.createGain();
        const at = this.audio.currentTime + start;
        tone.frequency.value = pitch;
        volume.gain.setValueAtTime(VOLUME, at);
        volume.gain.exponentialRampToValueAtTime(0.001, at + LENGTH);
        tone.connect(volume).connect(this.audio.destination);
        tone.start(at);
        tone.stop(at + LENGTH);
      });
    }

    // In the background the two titles take turns; in view the words just stand there.
    blink() {
      window.clearInterval(this.blinking);
      const called = `【请答题】${this.title}`;
      document.title = called;
      this.blinking = window.setInterval(() => {
        const isTurn = document.hidden && document.title === called;
        document.title = isTurn ? this.title : called;
      }, BLINK_MS);
    }

    end() {
      window.clearInterval(this.blinking);
      document.title = this.title;
    }
  }

  window.PortalCue = { Cue };
})();
