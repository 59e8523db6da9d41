// The pages work without this. It draws interactive figures on demand and opens what is folded before printing.
(() => {
  const here = document.currentScript.src.replace(/[^/]*$/, "");
  const root = document.documentElement;
  const figures = (window.auditFigures = {});
  const loaded = {};
  const load = (src) =>
    (loaded[src] ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = src;
      script.onload = done;
      script.onerror = failed;
      document.head.append(script);
    }));
  const draw = async (figure) => {
    const plot = figure.querySelector(".plot");
    const picture = figure.querySelector("picture");
    const narrow = matchMedia("(max-width: 40rem)").matches;
    await Promise.all([load(here + "plotly.min.js"), load(here + "../figures/" + plot.dataset.figure + ".js")]);
    const { data, layout } = figures[plot.dataset.figure][narrow ? "narrow" : "wide"];
    plot.hidden = false;
    picture.hidden = true;
    await Plotly.newPlot(plot, data, layout, { displayModeBar: false, staticPlot: false });
    figure.querySelector(".draw")?.remove();
  };
  root.classList.add("scripted");
  addEventListener("DOMContentLoaded", () => {
    for (const figure of document.querySelectorAll("figure:has(.plot)")) {
      figure.querySelector(".draw")?.addEventListener("click", () => draw(figure));
    }
    const open = () => {
      const target = location.hash && document.getElementById(location.hash.slice(1));
      if (target instanceof HTMLDetailsElement) target.open = true;
    };
    addEventListener("hashchange", open);
    open();
  });
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => (d.open = true)));
})();
