"use strict";

// The bridge of WeChat's own browser. What it reports decides nothing: the order's page asks the
// server.
(() => {
  const BRIDGE_WAIT = 5000;

  function openBridge(section) {
    const words = section.querySelector("[data-bridge-words]");
    const button = section.querySelector("[data-bridge-pay]");
    const missing = section.querySelector("[data-bridge-missing]");
    const fields = JSON.parse(document.getElementById("bridge-fields").textContent);

    function finish(result) {
      const said = String(result && result.err_msg);
      button.disabled = false;
      if (said.endsWith(":ok")) {
        button.disabled = true;
        words.textContent = "支付已完成，正在确认结果……";
        window.location.assign(section.dataset.return);
      } else if (said.endsWith(":cancel")) {
        words.textContent = "您已取消支付，可点“立即支付”继续。";
      } else {
        words.textContent = "支付没有完成，请重试或换一种支付方式。";
      }
    }

    function pay() {
      button.disabled = true;
      missing.hidden = true;
      words.textContent = "请在微信支付窗口中完成支付。";
      window.WeixinJSBridge.invoke("getBrandWCPayRequest", fields, finish);
    }

    function giveUp() {
      if (!window.WeixinJSBridge) {
        words.textContent = "";
        missing.hidden = false;
      }
    }

    button.addEventListener("click", pay);
    if (window.WeixinJSBridge) {
      pay();
    } else {
      document.addEventListener("WeixinJSBridgeReady", pay, { once: true });
      setTimeout(giveUp, BRIDGE_WAIT);
    }
  }

  document.querySelectorAll("[data-bridge]").forEach(openBridge);
})();
