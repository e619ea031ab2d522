/** Channels and their categories: made, described, moved and deleted, and who may do what in them. */

import { askText, confirm, openDialog, openPanel } from "./dialogs.js";
import { h } from "./dom.js";
import { displayName, isCategory, isForum, MAY, permits, rolesOf } from "./entities.js";
import { button, chooser, LONGEST_NAME, textField } from "./fields.js";
import { overwriteGrid } from "./permission_grid.js";
import { orToast } from "./toast.js";

export const TEXT = 0;
export const FORUM = 15;
const CATEGORY = 4;
const KINDS = { [TEXT]: "channel", [FORUM]: "forum" };
const SLOWMODES = { 0: "Off", 5: "5 seconds", 10: "10 seconds", 30: "30 seconds", 60: "1 minute", 600: "10 minutes", 3600: "1 hour", 21600: "6 hours" };

/** Whether there is anything about a channel or a category that one may set. */
export const maySet = (channel) => permits(channel, MAY.manageChannels) || permits(channel, MAY.manageRoles);

const roleName = (role) => role.name.replace(/^@?/, "@");

/** What one can do with a category, as items of a menu. */
export function categoryItems({ api, store, actions }, category) {
  const context = { api, store, actions };
  const may = permits(category, MAY.manageChannels);
  return [
    may && { label: "New channel", run: () => askChannel(context, TEXT, category.id) },
    may && { label: "New forum", run: () => askChannel(context, FORUM, category.id) },
    { label: "Category settings", run: () => openChannelSettings(context, category) },
  ].filter(Boolean);
}

/** Ask for the name of a channel and for its category, make it and open it. */
export function askChannel({ api, store, actions }, type, categoryId = null) {
  let chosen = categoryId;
  const name = h("input", { type: "text", required: true, maxlength: String(LONGEST_NAME) });
  openDialog({
    title: `New ${KINDS[type]}`,
    submitLabel: "Create",
    content: [
      h("label", { class: "field" }, h("span", { class: "field-label" }, "Name"), name),
      categoryChooser(store, categoryId, (id) => {
        chosen = id || null;
      }),
    ],
    submit: async () => actions.openNew(await api.createChannel(name.value.trim(), type, chosen)),
  });
}

export function askCategory(api) {
  askText({
    title: "New category",
    label: "Name",
    submitLabel: "Create",
    maxLength: LONGEST_NAME,
    submit: (name) => api.createChannel(name, CATEGORY),
  });
}

/** A channel's name, topic, pace and category, or a category's name, and who may do what there. */
export function openChannelSettings({ api, store }, { id, type }) {
  const kind = isCategory({ type }) ? "category" : "channel";
  let chosen = store.everyone.id;
  const draw = (redraw) => {
    const channel = store.channel(id) ?? store.category(id);
    if (!channel) return h("p", {}, `This ${kind} is gone, or out of your sight.`);
    const change = (changes) => orToast(() => api.changeChannel(id, changes)).then(redraw);
    const choose = (target) => {
      chosen = target;
      redraw();
    };
    return [
      permits(channel, MAY.manageChannels) && channelFields(channel, store, change),
      permits(channel, MAY.manageRoles) && overwrites(channel, { api, store }, { chosen, choose, redraw }),
      permits(channel, MAY.manageChannels) && channelRemoval(channel, kind, api),
    ];
  };
  openPanel({ title: kind === "category" ? "Category settings" : "Channel settings", store, draw });
}

function channelFields(channel, store, change) {
  const name = textField("Name", channel.name, (value) => change({ name: value }));
  if (isCategory(channel)) return name;
  const pace = String(channel.rate_limit_per_user ?? 0);
  const paces = { ...SLOWMODES, [pace]: SLOWMODES[pace] ?? `${pace} seconds` };
  const choices = Object.entries(paces).map(([value, label]) => ({ value, label }));
  return [
    name,
    categoryChooser(store, channel.parent_id, (id) => change({ parent_id: id || null })),
    textField("Topic", channel.topic ?? "", (topic) => change({ topic }), { required: false, maxLength: 1024 }),
    !isForum(channel) &&
      chooser("Slow mode", choices, pace, (value) => change({ rate_limit_per_user: Number(value) })),
  ];
}

/** The categories that one may put channels into, the one where the channel is, and none. */
function categoryChooser(store, current, choose) {
  const open = store.categories.filter((one) => one.id === current || permits(one, MAY.manageChannels));
  const none = !current || permits(store.guild, MAY.manageChannels);
  const options = open.map(({ id, name }) => ({ value: id, label: name }));
  return chooser("Category", [...(none ? [{ value: "", label: "None" }] : []), ...options], current ?? "", choose);
}

function overwrites(channel, { api, store }, { chosen, choose, redraw }) {
  const set = new Map((channel.permission_overwrites ?? []).map((one) => [one.id, one]));
  const mark = (id) => (set.has(id) ? " •" : "");
  const targets = [
    ...rolesOf(store).map((role) => ({ value: role.id, label: roleName(role) + mark(role.id) })),
    ...store.members.map(({ user }) => ({ value: user.id, label: displayName(user) + mark(user.id) })),
  ];
  const { allow = "0", deny = "0" } = set.get(chosen) ?? {};
  const name = targets.find(({ value }) => value === chosen)?.label.replace(" •", "");
  const change = (allowed, denied) => orToast(() => api.overwrite(channel.id, chosen, allowed, denied)).then(redraw);
  return [
    chooser("Permissions here of", targets, chosen, choose),
    overwriteGrid(`What ${name} may do in ${channel.name}`, { allow, deny }, store.permissions, change),
  ];
}

function channelRemoval(channel, kind, api) {
  const ask = (event) => {
    event.target.closest("dialog").close();
    confirm({
      title: `Delete ${channel.name}?`,
      text: kind === "category" ? "Its channels stay, in no category." : "Its messages and threads go with it.",
      submitLabel: "Delete",
      submit: () => api.deleteChannel(channel.id),
    });
  };
  return h("div", { class: "panel-actions" }, button(`Delete the ${kind}`, "danger", ask));
}
