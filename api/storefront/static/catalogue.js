// The catalogue and the cart, livelier: a variant is swapped in place, a quantity is kept as it is changed. Both work without this.
"use strict";
(() => {
  let asked = new AbortController();
  const page = async (address, how) => {
    asked.abort();
    asked = new AbortController();
    const answer = await fetch(address, { headers: { accept: "text/html" }, signal: asked.signal, ...how });
    if (!answer.ok) throw new Error(String(answer.status));
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };
  const swap = (from, selector) => {
    const fresh = from.querySelector(selector);
    const old = document.querySelector(selector);
    if (!fresh || !old) return false;
    old.replaceWith(fresh);
    return true;
  };

  document.addEventListener("click", async (event) => {
    const value = event.target.closest("a[data-swap]");
    if (!value || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const text = value.textContent;
    try {
      if (!swap(await page(value.href), "[data-variant]")) throw new Error("no variant");
      history.replaceState(null, "", value.href);
      [...document.querySelectorAll("a[data-swap]")].find((each) => each.textContent === text)?.focus();
    } catch (error) {
      if (error.name !== "AbortError") location.assign(value.href);
    }
  });

  // A quantity in the cart: kept a moment after the last press.
  let later = 0;
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-quietly]");
    if (!form || event.target.type !== "number" || event.target.value === "") return;
    clearTimeout(later);
    later = setTimeout(async () => {
      const name = event.target.name;
      try {
        const body = new URLSearchParams(new FormData(form));
        body.delete("coupon_code"); // half typed, perhaps
        const fresh = await page(form.action, { method: "POST", body });
        if (form.dataset.sent || !swap(fresh, "[data-cart]")) return;
        document.querySelector(".bar nav")?.replaceWith(fresh.querySelector(".bar nav"));
        document.getElementsByName(name)[0]?.focus();
      } catch (error) {
        if (error.name !== "AbortError" && !form.dataset.sent) form.requestSubmit();
      }
    }, 400);
  });
})();
