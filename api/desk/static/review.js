// The review page and the queue: keys, the picture, and pages that follow without a reload.
// Everything works without this script; it only saves time.
(() => {
  "use strict";
  const TWICE = 300; // milliseconds in which a second press is the same press
  const HEARTBEAT = 120; // seconds between two signs of life
  const WARN = 60; // seconds before a claim runs out
  const $ = (id) => document.getElementById(id);
  const marks = (window.deskMarks = {}); // when what happened, for whoever measures

  // ---- time on screen, and drafts ----------------------------------------------------------
  let seen = 0, since = null;
  const look = () => { if (document.visibilityState === "visible") since ??= performance.now(); };
  const lookAway = () => { if (since !== null) { seen += performance.now() - since; since = null; } };
  const seconds = () => (seen + (since === null ? 0 : performance.now() - since)) / 1000;
  const beginLooking = () => { seen = 0; since = null; look(); };

  const draftKey = () => `predella:draft:${$("sheet").dataset.analysis}:${$("sheet").dataset.revision}`;
  const stored = (act) => { try { return act(localStorage); } catch { return null; } };

  function restoreDraft() {
    const field = $("wording");
    if (!field || $("refusal")) return;
    const draft = stored((all) => all.getItem(draftKey()));
    if (draft === null || draft === field.defaultValue) return;
    field.value = draft;
    $("draft").hidden = false;
    $("amend").open = true;
  }

  function keepDraft(field) {
    const changed = field.value !== field.defaultValue;
    stored((all) => (changed ? all.setItem(draftKey(), field.value) : all.removeItem(draftKey())));
    $("draft").hidden = !changed;
  }

  // ---- the picture -------------------------------------------------------------------------
  let viewer = null, modelsView = null;

  function hang() {
    const place = $("viewer");
    if (!place || !window.OpenSeadragon) return;
    if (!viewer) {
      place.replaceChildren();
      viewer = OpenSeadragon({
        element: place, drawer: "canvas", showNavigationControl: false, crossOriginPolicy: false,
        gestureSettingsMouse: { clickToZoom: false }, visibilityRatio: 0.3, maxZoomPixelRatio: 4,
        animationTime: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 0.15,
        viewportMargins: matchMedia("(max-width: 60rem)").matches ? { left: 16, top: 16, right: 16, bottom: 16 } : { left: 32, top: 32, right: 32, bottom: 80 },
      });
      viewer.canvas.setAttribute("role", "application");
      viewer.canvas.setAttribute("aria-label", place.closest("section").getAttribute("aria-label"));
      // Arrows move the picture; letters are nobody's business here.
      viewer.addHandler("canvas-key", (event) => {
        if (!event.originalEvent.key.startsWith("Arrow")) event.preventDefaultAction = true;
      });
      viewer.addHandler("open", opened);
      viewer.addHandler("animation-finish", () => { marks.still = performance.now(); markSharp(); });
      $("tools").hidden = false;
    }
    modelsView = null;
    for (const button of document.querySelectorAll("[data-view=model]")) button.setAttribute("aria-pressed", "false");
    viewer.container.classList.remove("is-models");
    viewer.clearOverlays();
    viewer.open({ type: "image", url: place.dataset.picture });
  }

  function opened() {
    marks.opened = performance.now();
    marks.pictures = (marks.pictures || 0) + 1;
    const frame = document.createElement("div");
    frame.className = "hung";
    viewer.addOverlay({ element: frame, location: viewer.world.getItemAt(0).getBounds() });
    const { next, zoom } = $("viewer").dataset;
    if (next) new Image().src = next;
    if (zoom) zoomIn(zoom, $("viewer").dataset.picture, 8);
  }

  // Nothing that is on its way would make the picture any sharper.
  function markSharp() {
    const { world } = viewer, all = [...Array(world.getItemCount()).keys()];
    if (all.every((index) => world.getItemAt(index).getFullyLoaded())) marks.sharp = performance.now();
  }

  // The tiles of a large original take the place of the picture once somebody has cut them.
  async function zoomIn(base, of, patience) {
    const answer = await fetch(`${base}/zoom`);
    if (!answer.ok || $("viewer").dataset.picture !== of) return;
    const { state, width, height, tile, levels } = await answer.json();
    if (state === "coming" && patience) setTimeout(zoomIn, 2500, base, of, patience - 1);
    if (state !== "ready") return;
    viewer.addTiledImage({
      tileSource: { width, height, tileSize: tile, tileOverlap: 0, minLevel: 0, maxLevel: levels - 1,
        getTileUrl: (level, x, y) => `${base}/tiles/${level}/${x}_${y}.jpg` },
      index: 1,
      success: ({ item }) => item.addHandler("fully-loaded-change", markSharp),
    });
  }

  // What the model was given is the picture in the middle of a padded square. Who looks at the
  // whole picture then sees the whole square, and who looks closely stays where they are.
  function showModelsView(button) {
    const on = !modelsView, { viewport } = viewer;
    const isWhole = viewport.getZoom() <= viewport.getHomeZoom() * 1.01;
    const stay = () => { if (isWhole) viewport.goHome(); };
    button.setAttribute("aria-pressed", String(on));
    viewer.container.classList.toggle("is-models", on);
    if (!on) { viewer.world.removeItem(modelsView); modelsView = null; stay(); return; }
    const { width, height } = viewer.world.getItemAt(0).getBounds();
    const side = Math.max(width, height);
    viewer.addSimpleImage({
      url: $("viewer").dataset.modelsView, x: (width - side) / 2, y: (height - side) / 2, width: side,
      success: ({ item }) => { modelsView = item; stay(); },
    });
  }

  const views = {
    in: () => viewer.viewport.zoomBy(1.5).applyConstraints(),
    out: () => viewer.viewport.zoomBy(1 / 1.5).applyConstraints(),
    fit: () => { viewer.viewport.setRotation(0); viewer.viewport.goHome(); },
    turn: () => viewer.viewport.setRotation(viewer.viewport.getRotation() + 90),
    model: showModelsView,
  };

  // ---- pages that follow -------------------------------------------------------------------
  let busy = false, decidedAt = -Infinity;

  const say = (sentence) => { $("status").textContent = ""; requestAnimationFrame(() => { $("status").textContent = sentence; }); };

  async function send(form, button) {
    if (busy) return;
    if (button?.hasAttribute("data-decides")) {
      if (performance.now() - decidedAt < TWICE) return;
      decidedAt = performance.now();
    }
    busy = true;
    marks.sent = performance.now();
    document.body.setAttribute("aria-busy", "true");
    for (const field of form.querySelectorAll("[data-seconds]")) { field.disabled = false; field.value = seconds().toFixed(1); }
    const key = $("wording") && form.contains($("wording")) ? draftKey() : null;
    try {
      const answer = await fetch(button?.getAttribute("formaction") || form.getAttribute("action"), {
        method: "POST", body: new URLSearchParams(new FormData(form, button)),
        headers: { "X-Desk": "1", ...csrf() },
      });
      const type = answer.headers.get("Content-Type") || "";
      if (!type.startsWith("text/html")) throw new Error(`${answer.status}`);
      const content = await answer.text();
      if (answer.ok && key) stored((all) => all.removeItem(key));
      const address = answer.headers.get("X-Desk-Address") || (answer.redirected ? answer.url : null);
      if (address) history.pushState(null, "", address);
      // Its inline style bears the nonce of another page, and the policy of this one looks at it.
      turnTo(new DOMParser().parseFromString(content.replace(/<style[^]*?<\/style>/, ""), "text/html"));
    } catch {
      const place = document.querySelector("[data-failed]");
      const note = document.createElement("p");
      note.className = "note bad";
      note.setAttribute("role", "alert");
      note.textContent = place?.dataset.failed;
      if (note.textContent) place.prepend(note); else form.submit();
    } finally {
      busy = false;
      document.body.removeAttribute("aria-busy");
    }
  }

  const csrf = () => { const value = document.querySelector("[data-csrf]")?.dataset.csrf; return value ? { "X-CSRF-Token": value } : {}; };

  function turnTo(page) {
    const wasHung = $("viewer")?.dataset.picture;
    document.title = page.title;
    document.querySelector(".bar-end").replaceWith(page.querySelector(".bar-end"));
    const both = $("sheet") && page.getElementById("sheet");
    if (both) {
      $("sheet").replaceWith(page.getElementById("sheet"));
      $("act").replaceWith(page.getElementById("act"));
      Object.assign($("viewer").dataset, page.getElementById("viewer").dataset);
    } else {
      viewer?.destroy(); viewer = null;
      $("main").replaceWith(page.getElementById("main"));
      document.body.className = page.body.className;
    }
    marks.swapped = performance.now();
    marks.swaps = (marks.swaps || 0) + 1;
    arrive();
    if (!both || wasHung !== $("viewer").dataset.picture) hang();
  }

  // After a decision the new heading has the focus, and one short sentence is read out.
  function arrive() {
    beginLooking();
    restoreDraft();
    $("leave")?.removeAttribute("hidden");
    const said = document.querySelector("[data-said]")?.dataset.said?.trim();
    const heading = document.querySelector("main h1");
    if ($("amend")?.open) $("wording").focus(); else heading?.focus({ preventScroll: true });
    $("sheet")?.scrollTo(0, 0);
    if (said) say(said);
  }

  // ---- claims ------------------------------------------------------------------------------
  async function extend() {
    const sheet = $("sheet");
    if (!sheet?.dataset.until) return;
    try {
      const answer = await fetch("/desk/claims/extend", { method: "POST", headers: csrf() });
      if (!answer.ok) return;
      sheet.dataset.until = (await answer.json()).until;
      $("lease").hidden = true;
    } catch { /* the warning appears when it is time */ }
  }

  function watchClaim() {
    const until = Number($("sheet")?.dataset.until);
    if (until && until - Date.now() / 1000 < WARN) $("lease").hidden = false;
  }

  // ---- keys --------------------------------------------------------------------------------
  const isField = (element) => element.closest("input, textarea, select, [contenteditable]");

  function buttonOf(key) {
    const found = [...document.querySelectorAll("[data-key]")].filter((one) => one.dataset.key === key);
    const reachable = found.filter((one) => one.matches("summary") || !one.closest("details:not([open])"));
    return reachable.find((one) => one.closest(".pop[open] .panel")) || reachable.find((one) => !one.closest(".panel"));
  }

  function press(button) {
    if (button.dataset.opens) {
      $(button.dataset.opens).open = true;
      $("wording").focus();
      return;
    }
    button.click();
    if (button.matches(".pop > summary") && button.parentElement.open) button.parentElement.querySelector(".panel :is(select, button)").focus();
  }

  function onKey(event) {
    const inField = isField(event.target), chord = event.ctrlKey || event.metaKey;
    if (event.key === "Escape") return leave(event);
    if (chord && event.key === "Enter") return act(event, $(inField ? "approve-amended" : "approve"), inField?.id === "wording" || !inField);
    if (chord && event.key.toLowerCase() === "s" && $("amend")?.open) return act(event, $("save"), true);
    if (chord && event.key.toLowerCase() === "z" && !event.shiftKey) return act(event, $("undo"), !inField);
    if (chord || event.altKey || event.repeat || inField) return undefined;
    if (event.target.closest("#viewer, dialog[open]")) return undefined;
    const single = event.key.length === 1;
    if (single && $("sheet")?.dataset.singleKeys === "no") return undefined;
    if (event.key === "Enter" && event.target.closest("a, button, summary")) return undefined;
    if (!single && event.key !== "Enter") return undefined;
    return act(event, buttonOf(single ? event.key.toLowerCase() : event.key), true);
  }

  function act(event, button, may) {
    if (!button || !may) return;
    event.preventDefault();
    marks.key = performance.now();
    press(button);
  }

  function leave(event) {
    const open = document.querySelector(".pop[open]") || (event.target.id === "wording" && $("amend"));
    if (!open) return;
    open.open = false;
    (open.id === "amend" ? document.querySelector("[data-opens=amend]") : open.querySelector("summary")).focus();
  }

  // ---- begin -------------------------------------------------------------------------------
  document.addEventListener("keydown", onKey);
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("data-leads")) return;
    event.preventDefault();
    send(form, event.submitter);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button, a");
    if (!button) return;
    if (button.dataset.view && viewer) views[button.dataset.view](button);
    if (button.dataset.opens) { event.preventDefault(); press(button); }
    if (button.dataset.dialog) { event.preventDefault(); $(button.dataset.dialog).showModal(); }
    if (button.id === "keep") extend();
    if (button.id === "leave") { $("amend").open = false; document.querySelector("[data-opens=amend]").focus(); }
  });
  document.addEventListener("input", (event) => { if (event.target.id === "wording") keepDraft(event.target); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") { look(); extend(); } else lookAway(); });
  addEventListener("popstate", () => location.reload());
  setInterval(() => { if (document.visibilityState === "visible") extend(); }, HEARTBEAT * 1000);
  setInterval(watchClaim, 5000);
  look();
  if ($("sheet")) { restoreDraft(); $("leave")?.removeAttribute("hidden"); hang(); }
  const said = document.querySelector("[data-said]")?.dataset.said?.trim();
  if (said) { say(said); document.querySelector("main h1")?.focus({ preventScroll: true }); }
})();
