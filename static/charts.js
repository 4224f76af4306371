// Mounts an ECharts chart in every [data-chart="ID"]; its option is the JSON of <script id="ID"> (json_script).
// An item of data may carry a `url`: a click on it goes there. data-format="yuan" shows fen as yuan.
(() => {
  "use strict";

  const INK = {
    light: { text: "#57606a", line: "#e5e7eb", surface: "#ffffff" },
    dark: { text: "#a3adb8", line: "#333b45", surface: "#1b2027" },
  };
  const COLOURS = {
    light: ["#0f766e", "#d98a1f", "#3b6fd4", "#b4426f", "#7a5cc9", "#5d8f2b", "#1590b0", "#a35a2a"],
    dark: ["#2fb5a5", "#e8a84a", "#6f9bf0", "#d8729b", "#a18be6", "#8cbf54", "#4fb8d6", "#cf8555"],
  };
  const LANGUAGE = document.documentElement.lang || "zh-CN";
  const FORMATS = {
    integer: new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 2 }).format,
    yuan: (fen) => "¥" + (fen / 100).toLocaleString(LANGUAGE, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
    percent: (share) => (share * 100).toFixed(1) + "%",
  };
  // Axes have little room: 1.2万, 3.4亿; in English 12K, 340M.
  const SHORT = new Intl.NumberFormat(LANGUAGE, { notation: "compact", maximumFractionDigits: 1 }).format;
  const AXIS_FORMATS = {
    integer: SHORT,
    yuan: (fen) => "¥" + SHORT(fen / 100),
    percent: (share) => Math.round(share * 100) + "%",
  };
  const charts = new Map();

  const mode = () => (document.documentElement.classList.contains("dark") ? "dark" : "light");

  function theme(name) {
    const { text, line, surface } = INK[name];
    const category = {
      axisLine: { lineStyle: { color: line } }, axisTick: { show: false },
      axisLabel: { color: text }, splitLine: { show: false },
    };
    const value = {
      axisLine: { show: false }, axisTick: { show: false },
      axisLabel: { color: text }, splitLine: { lineStyle: { color: line } },
    };
    return {
      color: COLOURS[name],
      backgroundColor: "transparent",
      textStyle: { fontFamily: "inherit", color: text },
      legend: { top: 0, textStyle: { color: text }, icon: "roundRect", itemWidth: 12, itemHeight: 8 },
      tooltip: { backgroundColor: surface, borderColor: line, textStyle: { color: text } },
      visualMap: { textStyle: { color: text }, inRange: { color: [surface, COLOURS[name][0]] } },
      categoryAxis: category, timeAxis: value, valueAxis: value, logAxis: value,
      line: { symbol: "circle", symbolSize: 6, showSymbol: false, lineStyle: { width: 2 } },
      bar: { barMaxWidth: 36, itemStyle: { borderRadius: [3, 3, 0, 0] } },
      pie: { label: { color: text } },
      sankey: { label: { color: text }, lineStyle: { color: "gradient", opacity: 0.35 } },
    };
  }

  /** JSON carries no functions: the named format goes to tooltips and value axes here. */
  function formatted(option, format) {
    const show = FORMATS[format];
    const showShort = AXIS_FORMATS[format];
    const axes = ["xAxis", "yAxis"].flatMap((name) => option[name] ?? []);
    for (const axis of axes) {
      if (axis.type === "value") axis.axisLabel = { formatter: showShort, ...axis.axisLabel };
    }
    return {
      aria: { enabled: true },
      grid: { left: 8, right: 16, top: 40, bottom: 8, containLabel: true },
      animationDuration: 300,
      ...option,
      tooltip: { valueFormatter: show, confine: true, ...option.tooltip },
    };
  }

  function mount(element) {
    if (charts.has(element)) return;
    const source = document.getElementById(element.dataset.chart);
    const chart = echarts.init(element, theme(mode()));
    chart.setOption(formatted(JSON.parse(source.textContent), element.dataset.format || "integer"));
    chart.on("click", ({ data }) => data?.url && location.assign(data.url));
    charts.set(element, chart);
    sizes.observe(element);
  }

  function unmount(element) {
    sizes.unobserve(element);
    charts.get(element).dispose();
    charts.delete(element);
  }

  const mountAll = () => document.querySelectorAll("[data-chart]").forEach(mount);

  // Also told when an element is taken away (a tab swapped by htmx): its chart goes with it.
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.isConnected) charts.get(target)?.resize();
      else unmount(target);
    }
  });

  let shown = mode();
  new MutationObserver(() => {
    if (mode() === shown) return;
    shown = mode();
    charts.forEach((chart) => chart.setTheme(theme(shown)));
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });

  document.addEventListener("DOMContentLoaded", mountAll);
  document.addEventListener("htmx:load", mountAll);
})();
