/** The page's program: builds the parts, joins them, and keeps address, person and channel in step. */

import { askPost, askThread, channelActions } from "./actions.js";
import { Api } from "./api.js";
import { categoryItems, openChannelSettings } from "./channel_settings.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { openModal } from "./dialogs.js";
import { editorView } from "./editor.js";
import { displayName, timedOutUntil } from "./entities.js";
import { Header } from "./header.js";
import { closeMenusOutside } from "./menu.js";
import { MessageList } from "./messages.js";
import { channelTitle, namesOf } from "./people.js";
import { attachNotice } from "./notice.js";
import { attachPending } from "./pending.js";
import { showPins } from "./pins.js";
import { RequestsPanel } from "./requests.js";
import { guildItems, openMembers } from "./settings.js";
import { Sidebar } from "./sidebar.js";
import { Store } from "./store.js";
import { applyTheme, toggleTheme } from "./theme.js";
import { keepRelativeTimes } from "./time.js";
import { orToast, toast } from "./toast.js";
import { attachToolbar } from "./toolbar.js";
import { attachTyping } from "./typing.js";
import { attachWelcome } from "./welcome.js";

const PAGE_SIZE = 50;
const LONGEST_TIMER = 2 ** 31 - 1; // milliseconds: a longer one would pass at once
const byId = (id) => document.getElementById(id);

class App {
  #editing = null;
  #timeOut = null;

  constructor() {
    const address = new URLSearchParams(location.search);
    this.api = new Api(address.get("as"));
    this.store = new Store();
    this.actions = { ...channelActions(this.api, this.store), ...this.#viewActions() };
    this.#buildViews();
    this.#listen();
  }

  async start() {
    const state = await orToast(() => this.#firstState());
    if (!state) return;
    this.api.as = state.me.id;
    this.#load(state);
    this.connection = new Connection({
      as: state.me.id,
      onOpen: async () => this.#load(await this.api.state()),
      onEvent: (event) => this.store.apply(event),
      onDown: () => this.store.setConnected(false),
    });
  }

  /** As the person of the address; as the first one when the address names nobody who is here. */
  async #firstState() {
    try {
      return await this.api.state();
    } catch (error) {
      if (!this.api.as || error.status === 0) throw error;
      this.api.as = null;
      return this.api.state();
    }
  }

  #buildViews() {
    const { store, actions } = this;
    const context = { store, actions, editor: ({ id }) => (this.#editing?.id === id ? this.#editing.view : null) };
    this.list = new MessageList({
      scroller: byId("scroller"),
      list: byId("messages"),
      jump: byId("jump"),
      context,
      loadOlder: () => this.#read(store.current),
    });
    attachPending(byId("pending"), { store, changed: () => this.list.keep() });
    this.composer = new Composer(byId("composer-form"), { store, actions });
    this.sidebar = new Sidebar(byId("sidebar"), { store, actions });
    this.header = new Header(byId("header"), { store, actions });
    this.requests = new RequestsPanel(byId("requests"), { store, close: actions.toggleRequests });
    attachToolbar(byId("messages"), { store, actions });
    attachTyping(byId("typing"), store);
    attachWelcome(byId("welcome"), { store, actions });
    closeMenusOutside();
    keepRelativeTimes(document);
  }

  #viewActions() {
    return {
      openChannel: (id) => this.#open(id, "push"),
      openDm: async () => {
        const dm = await orToast(() => this.api.openDm());
        if (!dm) return;
        this.store.apply({ t: "CHANNEL_CREATE", d: dm });
        this.#open(dm.id, "push");
      },
      become: (id) => location.assign(`?${new URLSearchParams({ as: id, channel: this.store.current })}`),
      focusComposer: () => this.composer.focus(),
      reply: (message) => this.composer.replyTo(message),
      edit: (message) => this.#edit(message),
      editLast: () => this.#editLast(),
      jumpTo: (id) => this.list.reveal(id) || toast("That message is further up than what is loaded.", "note"),
      mention: (user) => this.composer.insert(`@${displayName(user)} `),
      createThread: (message) => askThread(this.api, this.store, message, (thread) => this.#openNew(thread)),
      createPost: (forum) => askPost(this.api, forum, (thread) => this.#openNew(thread)),
      openNew: (channel) => this.#openNew(channel),
      guildItems: () => guildItems(this),
      categoryItems: (category) => categoryItems(this, category),
      memberSettings: (user) => openMembers(this, user.id),
      channelSettings: (channel) => openChannelSettings(this, channel),
      showPins: (channel) => showPins(channel, this),
      toggleTheme,
      requestsShown: () => !byId("requests").hidden,
      toggleRequests: () => this.#toggleRequests(),
      toggleSidebar: () => this.#drawer(!byId("sidebar").classList.contains("open")),
    };
  }

  #listen() {
    const { store, actions } = this;
    attachNotice(byId("notice"), store);
    store.on("modal", (modal) =>
      openModal(modal, {
        store,
        names: namesOf(store, actions.openChannel),
        submit: (values) => actions.submitModal(modal, values),
      }),
    );
    store.on("unread", () => this.#title());
    store.on("channels", () => this.#leaveDeleted());
    store.on("people", () => this.#leaveWithoutOneself());
    store.on("people", () => this.#timedOut());
    addEventListener("popstate", () => this.#open(this.#wanted(), "keep"));
    addEventListener("focus", () => this.store.current && this.store.read(this.store.current));
    byId("scrim").addEventListener("click", () => this.#drawer(false));
    addEventListener("keydown", ({ key }) => key === "Escape" && !document.querySelector("dialog") && this.#drawer(false));
    byId("requests").addEventListener("keydown", (event) => event.key === "Escape" && this.#toggleRequests());
  }

  #openNew(channel) {
    this.store.apply({ t: "CHANNEL_CREATE", d: channel });
    this.#open(channel.id, "push");
  }

  /** The focus goes into the panel with its opening, and back to the button with its closing. */
  #toggleRequests() {
    const panel = byId("requests");
    panel.hidden = !panel.hidden;
    byId("requests-button").setAttribute("aria-expanded", String(!panel.hidden));
    (panel.hidden ? byId("requests-button") : panel.querySelector("button")).focus();
  }

  #load(state) {
    this.store.load(state);
    this.store.setConnected(true);
    if (this.store.channel(this.store.current)) this.#open(this.store.current, "replace");
    else this.#openFirst();
  }

  #leaveDeleted() {
    if (this.store.me && this.connection && !this.store.channel(this.store.current)) this.#openFirst();
  }

  /** Who has left goes on as somebody who is here. */
  #leaveWithoutOneself() {
    const { me, people } = this.store;
    if (people.length > 0 && !people.some(({ id }) => id === me.id)) this.actions.become(people[0].id);
  }

  /** What one may do is asked anew when one's time-out ends: nobody tells. */
  #timedOut() {
    clearTimeout(this.#timeOut);
    const { me } = this.store;
    const until = timedOutUntil(this.store.member(me.id));
    const ask = () => orToast(async () => this.#load(await this.api.state()));
    if (until) this.#timeOut = setTimeout(ask, Math.min(until - Date.now(), LONGEST_TIMER));
  }

  /** The channel of the address, else the first one; null when one sees none. */
  #wanted() {
    const id = new URLSearchParams(location.search).get("channel");
    const { channels, dms } = this.store;
    return this.store.channel(id) ? id : ([...channels, ...dms][0]?.id ?? null);
  }

  #openFirst() {
    const id = this.#wanted();
    if (id) this.#open(id, "replace");
    else if (this.store.current) this.store.open(null);
  }

  /** Show a channel; `history` says what becomes of the address: "push", "replace" or "keep". */
  #open(id, history) {
    if (!this.store.channel(id)) return;
    this.#drawer(false);
    this.#editing = null;
    const address = `?${new URLSearchParams({ as: this.api.as, channel: id })}`;
    if (history === "push" && id !== this.store.current) window.history.pushState(null, "", address);
    if (history === "replace") window.history.replaceState(null, "", address);
    if (id !== this.store.current) this.store.open(id);
    this.#title();
    if (this.store.needsReading(id)) this.#read(id);
  }

  #read(id) {
    const fetchPage = (before) => this.api.messages(id, before);
    return orToast(() => this.store.readHistory(id, fetchPage, PAGE_SIZE));
  }

  #title() {
    const { store } = this;
    const mentions = [...store.unread.values()].reduce((sum, { mentions: some }) => sum + some, 0);
    const channel = store.channel(store.current);
    if (!channel) return;
    document.title = `${mentions > 0 ? `(${mentions}) ` : ""}${channelTitle(channel, store)} · ${store.guild.name}`;
  }

  /** Edit one's own message in its place; null ends that. */
  #edit(message) {
    const before = this.#editing;
    this.#editing = message && { id: message.id, view: this.#editor(message) };
    for (const one of [before, message]) if (one) this.list.redraw(one.id);
  }

  #editLast() {
    const { store } = this;
    const own = (store.messages(store.current) ?? []).filter(
      (message) => message.author.id === store.me.id && [0, 19].includes(message.type),
    );
    if (own.length > 0) this.#edit(own.at(-1));
  }

  #editor(message) {
    return editorView(message, {
      store: this.store,
      save: (content) => this.actions.save(message, content),
      leave: () => {
        this.#edit(null);
        this.composer.focus();
      },
    });
  }

  /** On narrow screens the sidebar slides over the messages. */
  #drawer(open) {
    const sidebar = byId("sidebar");
    if (sidebar.classList.contains("open") === open) return;
    sidebar.classList.toggle("open", open);
    byId("scrim").hidden = !open;
    byId("main").inert = open;
    if (open) sidebar.querySelector("[aria-current]")?.focus();
    else byId("menu-button").focus();
  }
}

applyTheme();
new App().start();
