"use strict";

// The quality menu: 自动 and what the HLS stream offers, by height. Where the browser plays
// HLS itself (Safari) or the video is one MP4 there is nothing to choose, and no menu.
(() => {
  const { recall, keep } = window.PortalChoices;
  const AUTO = "auto";
  const MenuButton = videojs.getComponent("MenuButton");
  const MenuItem = videojs.getComponent("MenuItem");

  function representations(player) {
    const tech = player.tech({ IWillNotUseThisInPlugins: true });
    return tech && tech.vhs ? tech.vhs.representations() : [];
  }

  function heights(player) {
    const found = representations(player).map((each) => each.height).filter(Boolean);
    return [...new Set(found)].sort((one, other) => other - one);
  }

  // The height that was chosen, perhaps for another video: else the next one below.
  function chosenHeight(offered) {
    const wanted = Number(recall("quality"));
    const lowest = offered[offered.length - 1];
    return wanted ? offered.find((height) => height <= wanted) || lowest : 0;
  }

  function applyChoice(player) {
    const all = representations(player);
    const height = chosenHeight(heights(player));
    const isWanted = (each) => !height || each.height === height;
    if (all.every((each) => each.enabled() === isWanted(each))) {
      return;
    }
    // VHS goes at once to what was enabled last: with 自动 that is what plays already.
    const last = all.find((each) => (height ? isWanted(each) : each.enabled()));
    all.filter((each) => each !== last).forEach((each) => each.enabled(isWanted(each)));
    last.enabled(false);
    last.enabled(true);
  }

  class QualityItem extends MenuItem {
    handleClick(event) {
      super.handleClick(event);
      keep("quality", this.options_.value);
      applyChoice(this.player_);
      this.options_.button.showChoice();
    }
  }

  class QualityButton extends MenuButton {
    constructor(player, options) {
      super(player, options);
      this.menuButton_.el_.setAttribute("aria-describedby", this.valueEl.id);
      this.on(player, "loadedmetadata", () => {
        applyChoice(player);
        this.update();
        this.showChoice();
      });
    }

    createEl() {
      const element = super.createEl();
      this.valueEl = videojs.dom.createEl("div", {
        className: "vjs-quality-value",
        id: `${this.id_}-value`,
      });
      element.appendChild(this.valueEl);
      return element;
    }

    buildCSSClass() {
      return `vjs-quality ${super.buildCSSClass()}`;
    }

    buildWrapperCSSClass() {
      return `vjs-quality ${super.buildWrapperCSSClass()}`;
    }

    createItems() {
      const offered = heights(this.player_);
      const item = (label, value) => new QualityItem(this.player_, {
        label,
        value,
        selectable: true,
        button: this,
      });
      if (offered.length < 2) {
        return [];
      }
      return [...offered.map((height) => item(`${height}P`, String(height))), item("自动", AUTO)];
    }

    showChoice() {
      const chosen = chosenHeight(heights(this.player_));
      this.valueEl.textContent = chosen ? `${chosen}P` : "自动";
      this.items.forEach((item) => {
        item.selected(item.options_.value === (chosen ? String(chosen) : AUTO));
      });
    }
  }
  QualityButton.prototype.controlText_ = "清晰度";

  videojs.registerComponent("PortalQualityButton", QualityButton);
})();
