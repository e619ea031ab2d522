/** Builds elements from data; text stays text, nothing is ever parsed as HTML. */

/**
 * Make an element. `class` and `dataset` set those, `on<event>` adds a listener, everything else is an
 * attribute; null, undefined and false leave it out. Children are nodes, strings or nested arrays of them.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...present(children));
  return element;
}

/** The children that are there: nested arrays flattened, null, undefined and false dropped. */
export function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** Replace what `element` holds. */
export function fill(element, ...children) {
  element.replaceChildren(...present(children));
}

/** Only http and https addresses become links: null for everything else, `javascript:` above all. */
export function safeUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

/** A link that opens elsewhere and tells the other side nothing. */
export function externalLink(url, ...children) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}

/** Run `render`, then give the focus back to the element that `selectorOf(focused)` names. */
export function keepFocus(container, selectorOf, render) {
  const focused = container.contains(document.activeElement) ? document.activeElement : null;
  const selector = focused && selectorOf(focused);
  render();
  if (selector) container.querySelector(selector)?.focus({ preventScroll: true });
}
