const screenIsDark = matchMedia("(prefers-color-scheme: dark)");
const inTheDark = {{ in_the_dark | tojson }};
const paperWidth = 680;

function figureOf(text, isDark) {
  const repainted = isDark ? text.replace(/#[0-9a-f]{6}/g, (colour) => inTheDark[colour] ?? colour) : text;
  return JSON.parse(repainted);
}

function drawAll(isDark, width) {
  for (const plot of document.querySelectorAll(".plot")) {
    const { data, layout } = figureOf(plot.nextElementSibling.textContent, isDark);
    const size = width ? { width } : { autosize: true };
    const config = { responsive: !width, displayModeBar: false, displaylogo: false };
    Plotly.newPlot(plot, data, { ...layout, ...size }, config);
  }
}

drawAll(screenIsDark.matches);
screenIsDark.addEventListener("change", () => drawAll(screenIsDark.matches));
addEventListener("beforeprint", () => drawAll(false, paperWidth));
addEventListener("afterprint", () => drawAll(screenIsDark.matches));
