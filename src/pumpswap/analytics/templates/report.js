(function () {
  "use strict";
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const palettes = read("palettes");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const touch = window.matchMedia("(pointer: coarse)");
  const charts = Array.from(document.querySelectorAll("[data-chart]"), (element) => ({
    element, figure: read("figure-" + element.dataset.chart),
  }));

  // "$accent" → the palette's accent; everything else stays as it is.
  function painted(value, palette) {
    if (typeof value === "string") return value[0] === "$" && palette[value.slice(1)] || value;
    if (Array.isArray(value)) return value.map((one) => painted(one, palette));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, painted(one, palette)]));
  }

  function draw(palette, width) {
    for (const { element, figure } of charts) {
      const { data, layout } = painted(figure, palette);
      layout.font.family = getComputedStyle(document.body).fontFamily;
      layout.dragmode = touch.matches ? false : "zoom";  // a finger on a chart wants to scroll the page
      if (width) layout.width = width; else layout.autosize = true;
      if (!element.classList.contains("drawn")) element.textContent = "";
      element.classList.add("drawn");
      element.style.height = layout.height + "px";
      Plotly.react(element, data, layout, { displayModeBar: false });
    }
  }

  const drawForScreen = () => draw(dark.matches ? palettes.dark : palettes.light);
  drawForScreen();
  const resized = new ResizeObserver((seen) => seen.forEach((one) => Plotly.Plots.resize(one.target)));
  charts.forEach((chart) => resized.observe(chart.element));
  dark.addEventListener("change", drawForScreen);
  // Paper is white and as wide as a page, whatever the screen is.
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((one) => { one.open = true; });
    draw(palettes.light, 680);
  });
  window.addEventListener("afterprint", drawForScreen);
})();
