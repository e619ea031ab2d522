/** Pop-up menus: at a point, by mouse and keyboard, with one level of submenus. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

let open = [];

/**
 * Show `items` near `point` (`{x, y}`). An item is `{label, run?, detail?, checked?, icon?, danger?, items?}`; one
 * with `items` opens a submenu. `wide` lays them out as a grid, for emoji.
 */
export function openMenu(point, items, { label = "Menu", wide = false } = {}) {
  closeMenus();
  const back = document.activeElement;
  show(point, items, { label, wide, back });
}

export function closeMenus() {
  open.forEach((menu) => menu.remove());
  open = [];
}

/** The corner of an element where its menu belongs. */
export function below(element) {
  const { left, bottom } = element.getBoundingClientRect();
  return { x: left, y: bottom + 4 };
}

function show(point, items, { label, wide = false, back }) {
  const menu = h("div", { class: wide ? "menu wide" : "menu", role: "menu", "aria-label": label });
  menu.append(...items.map((item) => itemView(item, back)));
  menu.addEventListener("keydown", (event) => navigate(event, menu, back));
  document.body.append(menu);
  open.push(menu);
  place(menu, point);
  menu.querySelector("button")?.focus();
}

function itemView(item, back) {
  const choose = (event) => {
    const { right, top } = event.currentTarget.getBoundingClientRect();
    if (item.items) {
      show({ x: right + 2, y: top }, item.items, { label: item.label, back });
    } else {
      closeMenus();
      back?.focus({ preventScroll: true });
      item.run();
    }
  };
  return h(
    "button",
    {
      type: "button",
      role: item.checked === undefined ? "menuitem" : "menuitemradio",
      "aria-checked": item.checked !== undefined && String(item.checked),
      tabindex: "-1",
      class: item.danger && "danger",
      "aria-haspopup": item.items && "menu",
      onclick: choose,
    },
    h("span", {}, item.label, item.detail && h("small", {}, item.detail)),
    item.items ? h("span", { "aria-hidden": "true" }, "▸") : item.icon && icon(item.icon),
  );
}

function place(menu, { x, y }) {
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
  menu.style.top = `${Math.max(8, Math.min(y, innerHeight - height - 8))}px`;
}

function navigate(event, menu, back) {
  const buttons = [...menu.querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1, ...(menu.matches(".wide") && { ArrowRight: 1, ArrowLeft: -1 }) }[event.key];
  const jump = { Home: 0, End: -1 }[event.key];
  if (step) buttons.at((at + step) % buttons.length).focus();
  else if (jump !== undefined) buttons.at(jump).focus();
  else if (event.key.length === 1 && event.key !== " ") beginningWith(event.key, buttons, at)?.focus();
  else if (event.key === "ArrowRight" && document.activeElement.ariaHasPopup === "menu") document.activeElement.click();
  else if (event.key === "ArrowLeft" && open.length > 1) backOne();
  else if (event.key === "Escape" || event.key === "Tab") leave(back);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** The next item whose words begin with the letter that was typed. */
function beginningWith(letter, buttons, at) {
  const fits = (button) => button.textContent.replace(/^\W+/, "").toLowerCase().startsWith(letter.toLowerCase());
  return [...buttons.slice(at + 1), ...buttons.slice(0, at + 1)].find(fits);
}

function backOne() {
  open.pop().remove();
  open.at(-1).querySelector('[aria-haspopup="menu"]')?.focus();
}

function leave(back) {
  closeMenus();
  back?.focus({ preventScroll: true });
}

/**
 * A press or a scroll by hand anywhere else, or a resize, closes what is open. The scroll event itself would not
 * do: an answer that streams in scrolls too.
 */
export function closeMenusOutside() {
  const outside = (event) => !event.target.closest?.(".menu") && closeMenus();
  for (const name of ["pointerdown", "wheel", "touchmove"]) addEventListener(name, outside, { passive: true });
  addEventListener("resize", closeMenus);
}
