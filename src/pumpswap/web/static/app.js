// What the pages can do beyond showing: keep themselves new, ask before acting, draw charts. They work without.
(function () {
  "use strict";
  const root = document.documentElement;

  // ---------------------------------------------------------------- light and dark: the system's, until somebody chooses
  const THEMES = ["auto", "light", "dark"];
  let theme = "auto";
  try { theme = localStorage.getItem("theme") || "auto"; } catch { /* a browser that stores nothing */ }
  const wear = () => { if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme; };
  wear();

  function offerThemes() {
    for (const button of document.querySelectorAll("[data-themes]")) {
      const say = () => { button.textContent = "Light: " + theme; };
      button.hidden = false;
      say();
      button.addEventListener("click", () => {
        theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
        try { localStorage.setItem("theme", theme); } catch { /* then only this page knows */ }
        wear(); say(); drawAll();
      });
    }
  }

  // ---------------------------------------------------------------- asking before acting
  document.addEventListener("click", (event) => {
    const asks = event.target.closest("[data-ask]");
    if (asks) {
      const dialog = document.getElementById(asks.dataset.ask);
      if (!dialog || event.ctrlKey || event.metaKey) return;  // the link leads to a page that asks
      event.preventDefault();
      dialog.showModal();
    }
    const closes = event.target.closest("[data-close]");
    if (closes) { event.preventDefault(); closes.closest("dialog").close(); }
    if (event.target.tagName === "DIALOG") event.target.close();  // beside it
  });
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    for (const button of event.target.querySelectorAll("button")) setTimeout(() => { button.disabled = true; });
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-at-once]");
    if (form) form.requestSubmit();
  });

  // ---------------------------------------------------------------- charts
  const touch = window.matchMedia("(pointer: coarse)");
  const drawn = new WeakMap();  // element → the text it was drawn from

  function palette() {
    const probe = document.createElement("i");
    document.body.append(probe);
    const found = new Map();
    const colour = (role) => {
      if (!found.has(role)) {
        probe.style.color = "";
        probe.style.color = "var(--" + role + ")";
        found.set(role, getComputedStyle(probe).color);
      }
      return found.get(role);
    };
    return { colour, done: () => probe.remove() };
  }

  // "$accent" → the colour of that role; everything else stays as it is.
  function painted(value, colour) {
    if (typeof value === "string") return /^\$[a-z-]+$/.test(value) ? colour(value.slice(1)) : value;
    if (Array.isArray(value)) return value.map((one) => painted(one, colour));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, painted(one, colour)]));
  }

  function draw(element, again) {
    const source = document.getElementById("figure-" + element.dataset.chart);
    if (!source || !window.Plotly) return;
    const text = source.textContent;
    if (!again && drawn.get(element) === text) return;
    const { colour, done } = palette();
    const { data, layout } = painted(JSON.parse(text), colour);
    done();
    layout.font = { ...layout.font, family: getComputedStyle(document.body).fontFamily };
    layout.dragmode = touch.matches ? false : "zoom";  // a finger on a chart wants to scroll the page
    layout.autosize = true;
    layout.uirevision = "kept";  // a zoom stays when new points come
    if (!drawn.has(element)) element.textContent = "";
    element.classList.add("drawn");
    element.style.height = layout.height + "px";
    window.Plotly.react(element, data, layout, { displayModeBar: false });
    if (!drawn.has(element)) resized.observe(element);
    drawn.set(element, text);
  }
  const resized = new ResizeObserver((seen) => seen.forEach((one) => window.Plotly.Plots.resize(one.target)));
  const drawAll = (again = true) => document.querySelectorAll("[data-chart]").forEach((one) => draw(one, again));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());

  // ---------------------------------------------------------------- ages, counted on
  const clockSkew = () => Number(document.body.dataset.nowMs || Date.now()) - loadedMs;
  const loadedMs = Date.now();
  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  function ageText(seconds) {
    if (seconds < 0 && seconds > -3) seconds = 0;  // two clocks, or a moment rounded
    const [size, name] = UNITS.find(([size]) => Math.abs(seconds) >= size) || [1, "s"];
    const amount = Math.floor(Math.abs(seconds) / size) + "\u00a0" + name;
    return seconds < 0 ? "in " + amount : amount + " ago";
  }
  function tellAges() {
    for (const one of document.querySelectorAll("[data-at-ms]")) {
      const text = ageText(Math.floor((Date.now() + clockSkew() - Number(one.dataset.atMs)) / 1000));
      if (one.textContent !== text) one.textContent = text;
    }
  }

  // ---------------------------------------------------------------- staying new
  // The server says that something has changed; the page asks for itself again and takes over what differs.
  let asking = false, wanted = false;

  function takeOver(page) {
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const old = document.getElementById(fresh.id);
      if (old && !isBeingRead(old)) renew(old, fresh);
    }
    // A dashboard that was started again has another word, which a question that is open must repeat too.
    const word = page.querySelector('input[name="csrf"]');
    if (word) document.querySelectorAll('input[name="csrf"]').forEach((one) => one.setAttribute("value", word.value));
    drawAll(false);
    tellAges();
  }

  // Somebody has marked something in it, to copy it.
  function isBeingRead(element) {
    const marked = getSelection();
    return marked && !marked.isCollapsed && element.contains(marked.anchorNode);
  }

  // Element by element: what stays the same keeps its focus, its scroll, its open details and its chart.
  function renew(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.dataset.chart || old.tagName === "DIALOG" && old.open) return;
    if (old.dataset.figure !== undefined || old.children.length !== fresh.children.length || old.tagName !== fresh.tagName) {
      return replaced(old, fresh);
    }
    if (!old.children.length) {
      if (old.textContent !== fresh.textContent) { old.textContent = fresh.textContent; flash(old); }
    } else if (texts(old) !== texts(fresh)) return replaced(old, fresh);
    else for (const [index, child] of Array.from(old.children).entries()) renew(child, fresh.children[index]);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of Array.from(old.attributes)) {
      if (!fresh.hasAttribute(name) && !["open", "style"].includes(name)) old.removeAttribute(name);
    }
  }
  // The words directly in an element, between its children.
  const texts = (one) => Array.from(one.childNodes, (node) => node.nodeType === 3 ? node.data.trim() : "|").join("");
  function replaced(old, fresh) {
    const held = old.contains(document.activeElement) && sameAs(document.activeElement);
    const moved = Array.from(old.querySelectorAll(".scroll"), (one) => one.scrollLeft);
    for (const one of old.querySelectorAll("details[open][id]")) {
      const same = fresh.querySelector("#" + CSS.escape(one.id));
      if (same) same.open = true;
    }
    for (const chart of old.querySelectorAll("[data-chart]")) {  // a drawing moves over as it is
      const same = fresh.querySelector('[data-chart="' + CSS.escape(chart.dataset.chart) + '"]');
      if (same) same.replaceWith(chart);
    }
    old.replaceWith(document.adoptNode(fresh));
    fresh.querySelectorAll(".scroll").forEach((one, index) => { one.scrollLeft = moved[index] || 0; });
    if (held) document.querySelector(held)?.focus({ preventScroll: true });
  }
  // How to find an element again in another rendering of the page.
  function sameAs(element) {
    if (element.id) return "#" + CSS.escape(element.id);
    const named = ["href", "aria-label"].find((name) => element.hasAttribute(name));
    return named && element.localName + "[" + named + '="' + CSS.escape(element.getAttribute(named)) + '"]';
  }
  function flash(element) {
    const shown = element.closest("data, dd, td, .state") || element;
    shown.classList.remove("changed");
    void shown.offsetWidth;  // begins again
    shown.classList.add("changed");
  }

  async function ask() {
    if (asking || document.hidden) { wanted = true; return; }
    asking = true; wanted = false;
    try {
      const answer = await fetch(location.href, { headers: { "X-Live": "1" }, cache: "no-store" });
      if (answer.redirected || answer.status === 401 || answer.status === 403) return location.reload();
      if (answer.ok) takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
      heard(answer.ok);
    } catch { heard(false); }
    finally {
      asking = false;
      if (wanted) setTimeout(ask, 250);
    }
  }

  function heard(well) {
    const sign = document.getElementById("line");
    if (sign) sign.hidden = well;
  }

  const AGAIN_MS = 5000;

  function listen() {
    const where = document.body.dataset.events;
    if (!where || !document.querySelector("[data-live]")) return;
    let source = null, opened = false;
    function connect() {
      source = new EventSource(where);
      source.addEventListener("open", () => { heard(true); if (opened) ask(); opened = true; });
      source.addEventListener("changed", ask);
      source.addEventListener("error", () => {
        heard(false);
        // After an answer that is no stream (a new start that does not know us, too many viewers) a browser gives up
        // for ever. Asking for the page tells which it is: who must log in again is led there.
        if (source.readyState === EventSource.CLOSED) setTimeout(async () => { await ask(); connect(); }, AGAIN_MS);
      });
    }
    connect();
    document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted) ask(); });
    window.addEventListener("pagehide", () => source.close());
    // Brought back as it was left, without its stream.
    window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  }

  // What an action has said is said once, not each time the page is loaded again.
  function forget() {
    const here = new URL(location.href);
    if (!here.searchParams.has("told")) return;
    for (const name of ["told", "well", "seal"]) here.searchParams.delete(name);
    history.replaceState(null, "", here);
  }

  document.addEventListener("DOMContentLoaded", () => {
    root.classList.add("scripted");
    forget();
    const here = document.querySelector(".rail [aria-current]");
    if (here) here.closest("nav").scrollLeft = here.offsetLeft - here.closest("nav").clientWidth / 2;
    offerThemes();
    drawAll(false);
    setInterval(tellAges, 1000);
    listen();
  });
})();
