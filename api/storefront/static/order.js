// What an order's page does by itself: show the codes when the press of "pay" asked for it, and print them.
"use strict";
(() => {
  // The server put the mark only where the consent of this browser stands; the press is ours, once, and a look like any other.
  function reveal() {
    const form = document.querySelector("form[data-reveal]");
    if (!form || form.dataset.sent || document.hidden) return;
    const mark = document.createElement("input");
    mark.type = "hidden";
    mark.name = "by_itself";
    mark.value = "1";
    form.append(mark);
    delete form.dataset.reveal;
    form.requestSubmit();
  }
  document.addEventListener("visibilitychange", reveal);
  addEventListener("tessera:fresh", reveal);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) print();
  });
  // A file is not a page: the form that fetched one may be sent again.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-again]")) return;
    setTimeout(() => {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll(".busy")) { button.classList.remove("busy"); button.removeAttribute("aria-busy"); }
    }, 1500);
  });
  reveal();
})();
