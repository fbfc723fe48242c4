// The waiting room: asks how the place stands, as often as the server says; to ask keeps it. When it is another page's moment, that page comes.
"use strict";
(() => {
  const room = document.querySelector("[data-wait]");
  if (!room || ["turn", "gone", "full"].includes(room.dataset.status)) return;
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const put = (name, text) => { const at = room.querySelector(`[data-${name}]`); if (at && at.textContent !== text) at.textContent = text; };
  async function follow() {
    for (let pause = Number(room.dataset.again);;) {
      // Also while the page is hidden: who looks elsewhere still waits.
      await wait(1000 * pause * (0.85 + 0.3 * Math.random()));
      try {
        const answer = await fetch(room.dataset.wait, { headers: { accept: "application/json" }, cache: "no-store" });
        if (!answer.ok) { pause = Math.max(5, Number(answer.headers.get("retry-after")) || 0); continue; }
        const told = await answer.json();
        if (told.status !== room.dataset.status) { location.reload(); return; }
        put("place", String(told.place));
        put("total", String(told.total));
        put("held", String(told.held));
        const estimate = room.querySelector("[data-estimate]");
        if (estimate) put("estimate", told.estimate_s === null ? estimate.dataset.unknown : room.dataset.minutes.replace("{n}", Math.ceil(told.estimate_s / 60)));
        pause = told.again_s;
      } catch { pause = Math.min(2 * pause, 30); }
    }
  }
  follow();
})();
