"use strict";

// The player as staff try it out: the same stage, and nothing is sent or counted.
(() => {
  const config = JSON.parse(document.getElementById("player-config").textContent);
  const sources = [{ src: config.video, type: "video/mp4" }];
  if (config.stream) {
    sources.unshift({ src: config.stream, type: "application/x-mpegURL" });
  }
  videojs("player", {
    language: "zh-CN",
    disablePictureInPicture: true,
    enableDocumentPictureInPicture: false,
    controlBar: { pictureInPictureToggle: false },
    sources,
  });
  document.querySelector("[data-status]").textContent = "预览：不记录学习进度";
})();
