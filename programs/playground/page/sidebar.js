/** The left side: guild, categories, channels with their threads, direct messages, and who one is. */

import { maySet } from "./channel_settings.js";
import { fill, h, keepFocus } from "./dom.js";
import { displayName, isForum, MAY, permits } from "./entities.js";
import { icon } from "./icons.js";
import { below, openMenu } from "./menu.js";
import { avatar, channelTitle } from "./people.js";

export class Sidebar {
  #unfolded = new Set();
  #folded = new Set(); // categories

  constructor(element, { store, actions }) {
    Object.assign(this, { element, store, actions });
    for (const topic of ["people", "channels", "current", "unread", "bot"]) store.on(topic, () => this.#draw());
  }

  #draw() {
    const { guild, channels, categories, me } = this.store;
    if (!me) return;
    const loose = channels.filter((channel) => !this.store.category(channel.parent_id));
    const focusOf = ({ id, dataset: { channelId } }) =>
      channelId ? `[data-channel-id="${CSS.escape(channelId)}"]` : id && `#${CSS.escape(id)}`;
    keepFocus(this.element, focusOf, () =>
      fill(
        this.element,
        h("h2", { class: "guild-name" }, this.#guildButton(guild)),
        h(
          "div",
          { class: "sidebar-scroll" },
          loose.length > 0 &&
            h(
              "ul",
              { "aria-label": "Channels" },
              loose.map((channel) => this.#channel(channel)),
            ),
          categories.map((category) => this.#category(category)),
          h("h3", { class: "sidebar-title" }, "Direct messages"),
          h("ul", {}, this.#directMessages()),
        ),
        this.#userPanel(),
      ),
    );
  }

  #guildButton(guild) {
    const open = (event) => openMenu(below(event.currentTarget), this.actions.guildItems(), { label: guild.name });
    return h(
      "button",
      { class: "guild-button", type: "button", id: "guild-button", "aria-haspopup": "menu", onclick: open },
      h("span", {}, guild.name),
      icon("down"),
    );
  }

  /** An empty one is shown to those who could put something into it. */
  #category(category) {
    const { id, name } = category;
    const inside = this.store.channels.filter((channel) => channel.parent_id === id);
    if (inside.length === 0 && !permits(category, MAY.manageChannels)) return null;
    const folded = this.#folded.has(id);
    const fold = () => {
      this.#folded[folded ? "delete" : "add"](id);
      this.#draw();
    };
    return [
      h(
        "div",
        { class: "category" },
        h(
          "h3",
          { class: "sidebar-title" },
          h(
            "button",
            {
              class: "category-fold",
              type: "button",
              id: `category-${id}`,
              "aria-expanded": String(!folded),
              "aria-controls": `channels-${id}`,
              onclick: fold,
            },
            icon("down"),
            h("span", {}, name),
          ),
        ),
        maySet(category) && this.#categoryButton(category),
      ),
      h(
        "ul",
        { id: `channels-${id}`, "aria-label": name },
        inside.filter((channel) => !folded || this.#calls(channel)).map((channel) => this.#channel(channel)),
      ),
    ];
  }

  #categoryButton(category) {
    const label = `Category menu: ${category.name}`;
    const open = (event) =>
      openMenu(below(event.currentTarget), this.actions.categoryItems(category), { label: category.name });
    return h(
      "button",
      {
        class: "category-menu",
        type: "button",
        id: `category-menu-${category.id}`,
        "aria-label": label,
        title: label,
        "aria-haspopup": "menu",
        onclick: open,
      },
      icon("more"),
    );
  }

  /** What is shown of a folded category: where one is, and where there is something new. */
  #calls({ id }) {
    const { current, threads, unread } = this.store;
    const own = threads.filter((thread) => thread.parent_id === id).map((thread) => thread.id);
    return [id, ...own].some((one) => one === current || unread.has(one));
  }

  #channel(channel) {
    const threads = this.store.threads.filter((thread) => thread.parent_id === channel.id);
    const archived = threads.filter((thread) => thread.thread_metadata?.archived);
    const active = threads.filter((thread) => !thread.thread_metadata?.archived);
    return h(
      "li",
      {},
      this.#link(channel, isForum(channel) ? icon("forum") : "#"),
      active.length > 0 &&
        h(
          "ul",
          { class: "threads" },
          active.map((thread) => h("li", {}, this.#link(thread, ""))),
        ),
      archived.length > 0 && this.#archived(channel, archived),
    );
  }

  #archived(channel, threads) {
    const open = this.#unfolded.has(channel.id) || threads.some((thread) => thread.id === this.store.current);
    const toggled = (event) => this.#unfolded[event.target.open ? "add" : "delete"](channel.id);
    return h(
      "details",
      { class: "archived", open, ontoggle: toggled },
      h("summary", {}, `Archived (${threads.length})`),
      h(
        "ul",
        { class: "threads" },
        threads.map((thread) => h("li", {}, this.#link(thread, ""))),
      ),
    );
  }

  #directMessages() {
    const { dms, bot } = this.store;
    if (dms.length > 0) return dms.map((dm) => h("li", {}, this.#link(dm, avatar(bot, "tiny"))));
    return h(
      "li",
      {},
      h(
        "button",
        { class: "channel-link", type: "button", onclick: () => this.actions.openDm() },
        h("span", { class: "channel-sign" }, avatar(bot, "tiny")),
        h("span", { class: "channel-name" }, displayName(bot)),
      ),
    );
  }

  #link(channel, sign) {
    const { current, unread } = this.store;
    const news = unread.get(channel.id);
    return h(
      "button",
      {
        class: news ? "channel-link unread" : "channel-link",
        type: "button",
        dataset: { channelId: channel.id },
        "aria-current": channel.id === current && "page",
        onclick: () => this.actions.openChannel(channel.id),
      },
      sign && h("span", { class: "channel-sign", "aria-hidden": "true" }, sign),
      h("span", { class: "channel-name" }, channelTitle(channel, this.store)),
      news?.mentions > 0 &&
        h("span", { class: "badge", "aria-label": `${news.mentions} mentions` }, String(news.mentions)),
    );
  }

  #userPanel() {
    const { me, people } = this.store;
    const others = people.filter((person) => person.id !== me.id);
    const choose = (event) =>
      openMenu(
        below(event.currentTarget),
        others.map((person) => ({
          label: `Switch to ${displayName(person)}`,
          run: () => this.actions.become(person.id),
        })),
        { label: "Switch person" },
      );
    return h(
      "div",
      { class: "user-panel" },
      h(
        "button",
        {
          class: "user-switch",
          type: "button",
          id: "user-switch",
          "aria-haspopup": "menu",
          "aria-label": `You are ${displayName(me)}. Switch person`,
          onclick: choose,
        },
        avatar(me, "small"),
        h("span", { class: "user-names" }, h("strong", {}, displayName(me)), h("small", {}, `@${me.username}`)),
        icon("switch"),
      ),
    );
  }
}
