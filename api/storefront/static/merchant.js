// The merchant's page, livelier: a chosen file shows its layout at once, from its first 64 KiB.
"use strict";
(() => {
  const form = document.querySelector("form[data-import]");
  if (!form) return;
  const place = document.getElementById("preview");
  form.querySelector("[data-preview-button]").hidden = true;
  async function preview() {
    const [file] = form.file.files;
    if (!file) { place.replaceChildren(); return; }
    const body = new FormData(form);
    const workbook = /\.xlsx$/i.test(file.name); // a zip archive is read from its end
    body.set("file", workbook ? file : file.slice(0, 65536), file.name);
    try {
      const answer = await fetch("/merchant/previews", { method: "POST", body });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.querySelector("[data-preview], [role=alert]");
      if (found) {
        found.querySelector("[data-without-script]")?.remove();
        place.replaceChildren(document.importNode(found, true));
      }
    } catch { /* the import itself will tell */ }
  }
  for (const name of ["file", "sku", "encoding", "delimiter"]) form[name].addEventListener("change", preview);
})();
