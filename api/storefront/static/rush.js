// The sale's page in the rush: the server's clock asked once, and after the start what is left, as often as the server says.
"use strict";
(() => {
  const sale = document.querySelector("[data-stock]");
  if (!sale) return;
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const jitter = (ms) => ms * (0.75 + Math.random() / 2);
  const tag = sale.querySelector("header .tag");
  const faces = document.getElementById("faces");
  let status = sale.dataset.status;
  let skew = null;

  // One small answer. The server wrote it about halfway between our asking and its coming, so half of the way is taken off.
  async function ask() {
    const sent = performance.now();
    const answer = await fetch(sale.dataset.stock, { headers: { accept: "application/json" }, cache: "no-store" });
    const way = performance.now() - sent;
    if (!answer.ok) return { again_s: Math.max(10, Number(answer.headers.get("retry-after")) || 0) };
    const told = await answer.json();
    skew = told.now_ms - (Date.now() - way / 2);
    dispatchEvent(new CustomEvent("tessera:clock", { detail: skew }));
    return told;
  }

  // Which face of the sale is true now. The form stays where it is, with what was typed into it and its key.
  function show(told) {
    if (told.status === undefined) return;
    if (told.status === "open") {
      const words = told.left === 1 ? sale.dataset.one : sale.dataset.other.replace("{n}", told.left.toLocaleString("en-US"));
      if (tag.textContent !== words) tag.textContent = words;
      tag.className = told.left <= 10 ? "tag warn" : "tag";
    }
    if (told.status === status) return;
    const form = sale.querySelector("form[action$='/buy']");
    const name = told.status === "open" && !form ? "back" : told.status;
    const face = faces?.content.querySelector(`[data-face="${name}"]`);
    if (!face && !(form && name === "open")) return;
    status = told.status;
    sale.querySelector(".faces").replaceChildren(...(face ? [face.cloneNode(true)] : []));
    if (form) form.hidden = name !== "open";
    if (face?.dataset.tag) { tag.textContent = face.dataset.tag; tag.className = "tag off"; }
    const live = document.getElementById("live");
    if (live && face) live.textContent = face.querySelector("strong").textContent;
  }

  const seen = () => document.hidden ? new Promise((done) => document.addEventListener("visibilitychange", done, { once: true })) : null;
  async function follow() {
    for (let pause = 1 + 4 * Math.random(); status !== "ended";) {
      await wait(jitter(1000 * pause));
      await seen();
      try {
        const told = await ask();
        show(told);
        pause = told.again_s || 10;
      } catch { pause = Math.min(2 * pause, 60); }
    }
  }

  // Before the start nothing is polled: the clock is asked once, and once more when the machine slept or its clock was set.
  async function begin() {
    const starts = Number(sale.dataset.starts);
    if (status !== "soon") return follow();
    const far = starts - Date.now() > 60000;
    await wait(far ? 5000 * Math.random() : 0);
    await seen();
    await ask().catch(() => {});
    let wall = Date.now(), steady = performance.now();
    for (;;) {
      const left = starts - (Date.now() + (skew || 0));
      if (left <= 0) break;
      await wait(Math.min(left, 5000));
      const drift = Math.abs(Date.now() - wall - (performance.now() - steady));
      const slept = performance.now() - steady > 60000;
      wall = Date.now();
      steady = performance.now();
      if (drift > 1500 || slept) await ask().catch(() => {});
    }
    status = "open";
    follow();
  }
  addEventListener("visibilitychange", () => { if (!document.hidden && status === "soon") ask().catch(() => {}); });
  begin();
})();
