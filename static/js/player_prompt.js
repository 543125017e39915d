"use strict";

// The anti-idle question: a modal dialog with a countdown, usable by keyboard and by screen
// reader. The server holds the key, the deadline and the judgement.
(() => {
  const { Cue } = window.PortalCue;
  const TRY_WORDS = "回答错误，请重新作答";
  const PRAISE_MS = 1200;
  // Seconds left that a screen reader says; each of the sixty would talk the question down.
  const SAID_AT = [30, 10];

  // `on` holds: submit(code, option) -> Promise, poll() at the end of the time,
  // resume() when the learner wants to go on, open() just before the dialog shows,
  // isMuted() whether the learner wants no sound.
  class PromptDialog {
    constructor(element, on) {
      this.element = element;
      this.on = on;
      this.code = "";
      this.part = (name) => element.querySelector(`[data-prompt-${name}]`);
      this.cue = new Cue(this.part("sound"), on.isMuted);
      element.addEventListener("cancel", (event) => event.preventDefault());
      // Chromium closes a dialog at the second Escape, prevented or not.
      element.addEventListener("keydown", (event) => {
        if (event.key === "Escape") {
          event.preventDefault();
        } else if (event.key === "Tab" && !this.isModal) {
          this.keepFocus(event);
        }
      });
      // Android's back closes a dialog, prevented or not: a question stays.
      element.addEventListener("close", () => {
        if (this.code && !this.isShown) {
          this.reveal();
        } else if (!this.isShown) {
          this.close();
        }
      });
      this.part("form").addEventListener("submit", (event) => {
        event.preventDefault();
        this.submit();
      });
      this.part("continue").addEventListener("click", () => this.goOn());
    }

    get isShown() {
      return this.element.hasAttribute("open");
    }

    // A dialog above everything, full screen included. Old WebViews know none: there it is a
    // plain overlay.
    get isModal() {
      return typeof this.element.showModal === "function";
    }

    get isAsking() {
      return this.isShown && this.code !== "";
    }

    show(prompt) {
      if (this.code === prompt.code && this.isShown) {
        this.secondsLeft = Math.min(this.secondsLeft, prompt.seconds_left);
        return;
      }
      this.code = prompt.code;
      this.given = prompt.seconds_given;
      this.ask(prompt);
      this.reveal();
      this.start(prompt.seconds_left);
    }

    ask(prompt) {
      this.part("stem").textContent = prompt.stem;
      const again = prompt.try > 1;
      this.part("note").textContent = again
        ? `${TRY_WORDS}（第 ${prompt.try} 次，共 ${prompt.tries} 次）`
        : "请在规定时间内回答问题，答对后学习时间才会计入。";
      this.part("note").classList.toggle("is-wrong", again);
      // The first question is read out with the dialog that opens.
      this.say(again ? TRY_WORDS : "");
      this.part("message").classList.remove("is-right");
      this.part("message").textContent = "";
      const options = this.part("options");
      options.replaceChildren(...prompt.options.map((option, index) => {
        const label = document.createElement("label");
        label.className = "prompt-option";
        const input = document.createElement("input");
        input.type = "radio";
        input.name = "option";
        input.value = option.id;
        input.required = true;
        const letter = document.createElement("span");
        letter.className = "prompt-letter";
        // Drawn by the style sheet: the option's own words are its whole name.
        letter.dataset.letter = "ABCDEFGH"[index];
        const text = document.createElement("span");
        text.textContent = option.text;
        label.append(input, letter, text);
        return label;
      }));
      this.setAsking(true);
    }

    setAsking(isAsking) {
      this.part("question").hidden = !isAsking;
      this.part("question").disabled = !isAsking;
      this.part("submit").hidden = !isAsking;
      this.part("submit").disabled = false;
      this.part("continue").hidden = isAsking;
      this.part("clock").hidden = !isAsking;
      this.part("time").hidden = !isAsking;
    }

    reveal() {
      if (!this.isShown) {
        this.on.open();
        if (this.isModal) {
          this.element.showModal();
        } else {
          this.element.setAttribute("open", "");
          this.element.classList.add("is-overlay");
        }
        this.cue.call();
      }
      const first = this.element.querySelector("input[name=option]");
      (first || this.part("title")).focus();
    }

    say(text) {
      this.part("said").textContent = text;
    }

    // An overlay is not modal by itself: the tab key goes round in it.
    keepFocus(event) {
      const stops = [...this.element.querySelectorAll("input, button")].filter(
        (stop) => !stop.matches(":disabled") && stop.offsetParent !== null,
      );
      const last = event.shiftKey ? stops[0] : stops[stops.length - 1];
      if (document.activeElement === last || !this.element.contains(document.activeElement)) {
        event.preventDefault();
        (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
      }
    }

    start(seconds) {
      this.secondsLeft = seconds;
      this.stop();
      this.showTime();
      this.timer = window.setInterval(() => {
        this.secondsLeft = Math.max(0, this.secondsLeft - 1);
        this.showTime();
        if (this.secondsLeft === 0) {
          this.part("question").disabled = true;
          this.part("submit").disabled = true;
          this.part("message").textContent = "答题时间已到，正在确认……";
          this.on.poll();
        }
      }, 1000);
    }

    showTime() {
      this.part("left").textContent = String(this.secondsLeft);
      this.part("time").max = this.given;
      this.part("time").value = this.secondsLeft;
      this.element.classList.toggle("is-hurried", this.secondsLeft <= 10);
      if (SAID_AT.includes(this.secondsLeft)) {
        this.say(`还剩 ${this.secondsLeft} 秒`);
      }
    }

    stop() {
      window.clearInterval(this.timer);
    }

    async submit() {
      const chosen = this.element.querySelector("input[name=option]:checked");
      if (!chosen || !this.code) {
        return;
      }
      this.part("submit").disabled = true;
      this.part("message").textContent = "";
      const isKept = await this.on.submit(this.code, chosen.value);
      if (!isKept && this.isShown && this.secondsLeft > 0) {
        this.part("submit").disabled = false;
        this.part("message").textContent = "网络中断，答案未能送达，请再次提交。";
      }
    }

    // Say that it was right, for as long as it takes to read, and make way.
    succeed() {
      this.stop();
      this.part("question").disabled = true;
      this.part("submit").disabled = true;
      // What an earlier try was told would contradict the praise.
      this.part("note").textContent = "";
      this.say("");
      this.part("message").classList.add("is-right");
      this.part("message").textContent = "回答正确，学习时间已计入";
      return new Promise((resolve) => {
        window.setTimeout(() => {
          this.close();
          resolve();
        }, PRAISE_MS);
      });
    }

    // No question any more: say why the time was lost, and wait for the learner.
    explain(text, waitSeconds) {
      this.stop();
      this.code = "";
      this.setAsking(false);
      this.part("note").textContent = text;
      this.part("note").classList.add("is-wrong");
      this.say(this.isShown ? text : "");
      this.part("message").textContent = "";
      this.part("options").replaceChildren();
      this.reveal();
      this.countWait(waitSeconds);
    }

    countWait(seconds) {
      const button = this.part("continue");
      let left = seconds;
      const tick = () => {
        button.disabled = left > 0;
        button.textContent = left > 0 ? `请等待 ${left} 秒` : "继续学习";
        left -= 1;
        if (left < 0) {
          this.stop();
          button.focus();
        }
      };
      tick();
      if (seconds > 0) {
        this.timer = window.setInterval(tick, 1000);
      }
    }

    goOn() {
      this.close();
      this.on.resume();
    }

    close() {
      this.stop();
      this.code = "";
      this.cue.end();
      this.element.classList.remove("is-overlay", "is-hurried");
      if (this.element.close && this.isShown) {
        this.element.close();
      } else {
        this.element.removeAttribute("open");
      }
    }
  }

  window.PortalPrompt = { PromptDialog };
})();
