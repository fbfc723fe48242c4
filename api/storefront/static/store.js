// What makes the store livelier. Every page works without it.
"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words")?.textContent || "{}");

  // The server's clock: the page says when it was written, the browser when it arrived. Asked once, never polled.
  const wrote = Number(document.documentElement.dataset.now);
  const arrival = performance.getEntriesByType("navigation")[0];
  // It was written about halfway between the asking and the coming; a script that asked anew says so (rush.js).
  let skew = wrote && arrival ? wrote - (performance.timeOrigin + (arrival.requestStart + arrival.responseStart) / 2) : 0;
  addEventListener("tessera:clock", (event) => { skew = event.detail; });
  const now = () => Date.now() + skew;
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const jitter = (ms) => ms * (0.75 + Math.random() / 2);

  const two = (n) => String(n).padStart(2, "0");
  function spell(ms) {
    const s = Math.max(0, Math.ceil(ms / 1000));
    const days = Math.floor(s / 86400), hours = Math.floor(s / 3600) % 24;
    const rest = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
    if (days) return `${words.days.replace("{n}", days)} ${two(hours)}:${rest}`;
    return hours ? `${two(hours)}:${rest}` : rest;
  }

  // <span data-until="ms">: counts down; at zero the element's section does what data-then says.
  function tick() {
    for (const clock of document.querySelectorAll("[data-until]")) {
      const left = Number(clock.dataset.until) - now();
      const text = spell(left);
      if (clock.textContent !== text) clock.textContent = text;
      if (left > 0) continue;
      delete clock.dataset.until;
      if (clock.dataset.then === "open") open(clock);
    }
  }
  function open(clock) {
    const section = clock.closest("[data-sale]");
    for (const part of section.querySelectorAll("[data-before]")) part.hidden = true;
    for (const part of section.querySelectorAll("[data-after]")) part.hidden = false;
    section.querySelector("form[action$='/buy'] button[type=submit]")?.removeAttribute("disabled");
  }

  // Times in the reader's own zone, the store's time kept in the title.
  function localise() {
    for (const time of document.querySelectorAll("time[data-local]")) {
      time.title = time.textContent.trim();
      time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" }).format(new Date(time.dateTime));
      delete time.dataset.local;
    }
  }

  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      const said = copy.textContent;
      const text = copy.dataset.copy || [...document.querySelectorAll(".codes li")].map((li) => [...li.querySelectorAll(".value")].map((v) => v.textContent).join(" ")).join("\n");
      let done = true;
      try { await navigator.clipboard.writeText(text); } catch { done = select(copy); }
      copy.textContent = done ? words.copied : words.press_copy;
      tell(copy.textContent);
      setTimeout(() => { copy.textContent = said; }, 2500);
    }
    const step = event.target.closest("[data-step]");
    if (step) {
      const field = step.parentElement.querySelector("input");
      const most = Number(field.max) || 1000;
      field.value = Math.min(most, Math.max(1, (Number(field.value) || 1) + Number(step.dataset.step)));
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
  // Without the clipboard (plain http on a phone) the value is selected, ready for the system's own copy.
  function select(copy) {
    const value = copy.closest(".pair")?.querySelector(".value");
    if (value) getSelection().selectAllChildren(value);
    try { return document.execCommand("copy"); } catch { return false; }
  }
  function tell(text) {
    const live = document.getElementById("live");
    if (live) live.textContent = text;
  }

  // A second press while the first is on its way changes nothing; coming back with the back button presses anew.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    const button = event.submitter || form.querySelector("button[type=submit]");
    if (button) {
      button.classList.add("busy");
      button.setAttribute("aria-busy", "true");
      if (button.dataset.busy) button.textContent = button.dataset.busy;
    }
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) for (const form of document.querySelectorAll("form[data-sent]")) location.reload();
  });

  function total() {
    const field = document.getElementById("quantity");
    const sum = document.querySelector("[data-unit-price]");
    if (!field || !sum) return;
    field.addEventListener("input", () => {
      const minor = Number(sum.dataset.unitPrice) * Math.max(1, Math.min(1000, Math.floor(Number(field.value) || 1)));
      const digits = Number(sum.dataset.digits);
      sum.textContent = sum.dataset.sign + (minor / 10 ** digits).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    });
  }

  // The shop was too busy to answer: ask the same again, under the same key, no sooner than we were told.
  async function again() {
    const form = document.querySelector("form[data-by-itself]");
    if (!form) return;
    await wait(jitter(Number(form.dataset.retryAfter) * 1000));
    if (!form.dataset.sent) form.requestSubmit();
  }

  // The order's state: asked more and more slowly, at once when the reader comes back; when it changes, the server's page replaces ours.
  async function watch() {
    let order = document.querySelector("[data-order][data-state]");
    let pause = 1000;
    while (order && order.dataset.watch) {
      await Promise.race([wait(jitter(pause)), new Promise((seen) => addEventListener("focus", seen, { once: true }))]);
      if (document.hidden) { await new Promise((seen) => document.addEventListener("visibilitychange", seen, { once: true })); }
      pause = Math.min(pause * 1.3, 10000);
      try {
        const answer = await fetch(order.dataset.order, { headers: { accept: "application/json" }, cache: "no-store" });
        if (answer.status === 429 || answer.status === 503) { pause = Math.max(pause, 1000 * Number(answer.headers.get("retry-after") || 5)); continue; }
        if (!answer.ok) { location.reload(); return; }
        const told = await answer.json();
        if (told.state === order.dataset.state) continue;
        if (order.dataset.next) { location.replace(order.dataset.next); return; }
        const page = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
        if (!page.ok) continue;
        const fresh = new DOMParser().parseFromString(await page.text(), "text/html").querySelector("[data-order]");
        if (!fresh) { location.reload(); return; }
        order.replaceWith(fresh);
        order = fresh;
        pause = 1000;
        tell(fresh.querySelector("h1").textContent);
        localise();
        tick();
        dispatchEvent(new Event("tessera:fresh"));
      } catch { /* offline for a moment: the next round asks again */ }
    }
  }

  localise();
  tick();
  setInterval(tick, 250);
  total();
  again();
  watch();
})();
