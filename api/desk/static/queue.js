// The queue: ticks a whole page without loading it anew, and says on the buttons how many are chosen.
(() => {
  "use strict";
  const form = document.getElementById("chosen");
  if (!form) return;
  const boxes = [...document.querySelectorAll("input[name=id]")];
  const everything = document.querySelector("input[name=everything]");
  const buttons = [...form.querySelectorAll("[data-some]")].map((one) => ({ one, none: one.textContent }));

  function tell() {
    const count = everything.checked ? Number(everything.dataset.found) : boxes.filter((one) => one.checked).length;
    const number = count.toLocaleString(document.documentElement.lang);
    for (const { one, none } of buttons) one.textContent = count ? one.dataset.some.replace("{}", number) : none;
  }

  document.getElementById("picks").addEventListener("click", (event) => {
    const wish = event.target.dataset.tick;
    if (!wish) return;
    event.preventDefault();
    for (const one of boxes) one.checked = wish === "yes";
    everything.checked = false;
    tell();
  });
  document.addEventListener("change", tell);
  addEventListener("pageshow", tell); // a browser that goes back has kept the ticks
})();
