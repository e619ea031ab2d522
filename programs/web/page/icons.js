/** The page's icons: one stroke path each, drawn on a 24 by 24 grid. */

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  menu: "M4 7h16M4 12h16M4 17h16",
  reply: "M10 6 4 12l6 6M4 12h9a7 7 0 0 1 7 7",
  thread: "M5 4v9a4 4 0 0 0 4 4h10M15 13l4 4-4 4M9 8h10",
  react: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M8.5 14.5a4.5 4.5 0 0 0 7 0M9 9.5v.5M15 9.5v.5",
  edit: "M4 20l1-4L16.5 4.5a2.1 2.1 0 0 1 3 3L8 19l-4 1M14 7l3 3",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  close: "M6 6l12 12M18 6 6 18",
  attach: "M12 5v14M5 12h14",
  send: "M4 12 20 4l-5 16-3.5-6.5L4 12M11.5 13.5 20 4",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1 1M18 18l1 1M19 5l-1 1M6 18l-1 1",
  requests: "M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4",
  file: "M6 3h8l5 5v13H6zM14 3v5h5",
  switch: "M7 4 3 8l4 4M3 8h14M17 12l4 4-4 4M21 16H7",
  pin: "M9 4h6l-1 6 4 4H6l4-4zM12 14v7",
  down: "M6 9l6 6 6-6",
  settings: "M4 7h10M18 7h2M16 5v4M4 17h2M10 17h10M8 15v4",
  play: "M8 5v14l11-7z",
  stop: "M7 6h4v12H7zM14 6h4v12h-4z",
  forum: "M4 5h16v10H9l-5 4zM8 9h8M8 12h5",
  archive: "M3 5h18v4H3zM5 9v11h14V9M10 13h4",
};

/** A decorative icon by name; the button around it carries the label. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({
    viewBox: "0 0 24 24",
    class: `icon icon-${name}`,
    "aria-hidden": "true",
  })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
