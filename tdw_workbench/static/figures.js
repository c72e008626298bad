// What pages with figures share: the reader's theme, and a figure as a picture.
/* global Plotly */

/** Changes when the reader's system goes from light to dark or back. */
export const system = matchMedia("(prefers-color-scheme: dark)");

export const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

/** The template of a figure as the server gave it, in the reader's theme. */
export const templateOf = ({ layout }) => (isDark() && layout.meta?.dark) || layout.template;

/** What `div` shows of `figure`, as a download. For papers: always light, and the same size whatever the window. */
export function savePicture(div, figure, { format, config }) {
  const { title, template, margin: { t } } = figure.layout;
  const layout = { ...div.layout, title, template, margin: { ...div.layout.margin, t } };
  const options = { format, filename: div.dataset.name, width: 1200, height: 700, scale: format === "png" ? 2 : 1 };
  return Plotly.downloadImage({ data: div.data, layout, config }, options);
}
