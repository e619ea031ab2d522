/** The settings of the server: its roles, its members, and each channel. What one changes there holds at once. */

import { askText, confirm, openPanel } from "./dialogs.js";
import { h } from "./dom.js";
import { displayName, isForum, MAY, permits, timedOutUntil } from "./entities.js";
import { overwriteGrid, roleGrid } from "./permission_grid.js";
import { formatStamp } from "./time.js";
import { orToast } from "./toast.js";

const TEXT = 0;
const FORUM = 15;
const LONGEST_NAME = 100;
const LONGEST_PERSON = 32;
const SLOWMODES = { 0: "Off", 5: "5 seconds", 10: "10 seconds", 30: "30 seconds", 60: "1 minute", 600: "10 minutes", 3600: "1 hour", 21600: "6 hours" };
const TIME_OUTS = { 60: "1 minute", 300: "5 minutes", 600: "10 minutes", 3600: "1 hour", 86400: "1 day", 604800: "1 week" };

/** What one can do with the server as a whole, as items of a menu. */
export function guildItems({ api, store, actions }) {
  const may = (bit) => permits(store.guild, bit);
  const context = { api, store };
  return [
    { label: "Members", run: () => openMembers(context, store.me.id) },
    may(MAY.manageRoles) && { label: "Roles and permissions", run: () => openRoles(context) },
    may(MAY.manageChannels) && { label: "New channel", run: () => askChannel(api, "channel", TEXT, actions) },
    may(MAY.manageChannels) && { label: "New forum", run: () => askChannel(api, "forum", FORUM, actions) },
    { label: "Let somebody join", run: () => askPerson(api) },
  ].filter(Boolean);
}

/** Whether there is anything about a channel that one may set. */
export const maySet = (channel) => permits(channel, MAY.manageChannels) || permits(channel, MAY.manageRoles);

function askChannel(api, kind, type, actions) {
  askText({
    title: `New ${kind}`,
    label: "Name",
    submitLabel: "Create",
    maxLength: LONGEST_NAME,
    submit: async (name) => actions.openNew(await api.createChannel(name, type)),
  });
}

function askPerson(api) {
  askText({
    title: "Let somebody join",
    label: "Name",
    submitLabel: "Join",
    maxLength: LONGEST_PERSON,
    submit: (name) => api.join(name),
  });
}

/** All roles, the highest first, and @everyone, which all have. */
const rolesOf = (store) => [...[...store.roles].sort((one, other) => other.position - one.position), store.everyone];
const roleName = (role) => role.name.replace(/^@?/, "@");

function openRoles({ api, store }) {
  let chosen = rolesOf(store)[0].id;
  const draw = (redraw) => {
    const roles = rolesOf(store);
    const role = roles.find(({ id }) => id === chosen) ?? roles[0];
    const change = (changes) => orToast(() => api.changeRole(role.id, changes)).then(redraw);
    const choose = (id) => {
      chosen = id;
      redraw();
    };
    const add = () => orToast(async () => choose((await api.createRole("New role")).id));
    const fixed = role === store.everyone || role.managed;
    return [
      chooser("Role", roles.map(({ id, name }) => ({ value: id, label: name })), role.id, choose),
      !fixed && textField("Name", role.name, (name) => change({ name })),
      roleGrid(role, store.permissions, (permissions) => change({ permissions })),
      h(
        "div",
        { class: "panel-actions" },
        button("New role", "secondary", add),
        !fixed && button(`Delete ${role.name}`, "danger", () => orToast(() => api.deleteRole(role.id)).then(redraw)),
      ),
    ];
  };
  openPanel({ title: "Roles and permissions", store, draw });
}

/** A member's roles and time-out, and what they say of themselves. */
export function openMembers({ api, store }, userId) {
  let chosen = userId;
  const draw = (redraw) => {
    const member = store.member(chosen) ?? store.members[0];
    const { user } = member;
    const change = (changes) => orToast(() => api.changeMember(user.id, changes)).then(redraw);
    const choose = (id) => {
      chosen = id;
      redraw();
    };
    const people = store.members.map((one) => ({ value: one.user.id, label: displayName(one.user) }));
    return [
      chooser("Member", people, user.id, choose),
      rolesGrid(member, store, change),
      mayTimeOut(user, store) && timeOutField(member, change),
      user.id === store.me.id && closedDms(store, change),
      mayRemove(user, store) && removal(user, { api, store }),
    ];
  };
  openPanel({ title: "Members", store, draw });
}

const isOwner = (user, { guild }) => user.id === guild.owner_id;
const mayTimeOut = (user, store) => permits(store.guild, MAY.timeOut) && !isOwner(user, store);
const mayRemove = (user, store) =>
  !user.bot && !isOwner(user, store) && (user.id === store.me.id || permits(store.guild, MAY.kick));

function rolesGrid({ user, roles }, store, change) {
  const toggle = ({ id }) => change({ roles: roles.includes(id) ? roles.filter((one) => one !== id) : [...roles, id] });
  const disabled = !permits(store.guild, MAY.manageRoles);
  return h(
    "fieldset",
    { class: "permission-grid", disabled },
    h("legend", {}, `Roles of ${displayName(user)}`),
    rolesOf(store)
      .filter((role) => role !== store.everyone && (!role.managed || roles.includes(role.id)))
      .map((role) =>
        h(
          "label",
          { class: "permission" },
          h("input", {
            type: "checkbox",
            checked: roles.includes(role.id),
            disabled: role.managed,
            "data-key": role.id,
            onchange: () => toggle(role),
          }),
          role.name,
        ),
      ),
  );
}

function timeOutField(member, change) {
  const until = timedOutUntil(member);
  const now = until ? `Until ${formatStamp(until)}` : "None";
  const choices = Object.entries(TIME_OUTS).map(([value, label]) => ({ value, label }));
  const all = [{ value: "", label: now }, ...(until ? [{ value: "0", label: "End it" }] : []), ...choices];
  return chooser("Time-out", all, "", (value) => value && change({ time_out: Number(value) }));
}

function closedDms(store, change) {
  const toggle = (event) => {
    store.dmsClosed = !event.target.checked;
    change({ dms_closed: store.dmsClosed });
  };
  const box = h("input", { type: "checkbox", checked: !store.dmsClosed, "data-key": "dms", onchange: toggle });
  return h("label", { class: "permission" }, box, `Take direct messages from ${displayName(store.bot)}`);
}

function removal(user, { api, store }) {
  const own = user.id === store.me.id;
  const ask = (event) => {
    event.target.closest("dialog").close();
    confirm({
      title: own ? "Leave the server?" : `Remove ${displayName(user)} from the server?`,
      text: "What was written stays. Somebody of the same name who joins is the same person again.",
      submitLabel: own ? "Leave" : "Remove",
      submit: () => api.removeMember(user.id),
    });
  };
  return h(
    "div",
    { class: "panel-actions" },
    button(own ? "Leave the server" : `Remove ${displayName(user)}`, "danger", ask),
  );
}

/** A channel's name, topic and pace, and who may do what in it. */
export function openChannelSettings({ api, store }, { id }) {
  let chosen = store.everyone.id;
  const draw = (redraw) => {
    const channel = store.channel(id);
    if (!channel) return h("p", {}, "This channel is gone, or out of your sight.");
    const change = (changes) => orToast(() => api.changeChannel(id, changes)).then(redraw);
    const choose = (target) => {
      chosen = target;
      redraw();
    };
    return [
      permits(channel, MAY.manageChannels) && channelFields(channel, change),
      permits(channel, MAY.manageRoles) && overwrites(channel, { api, store }, { chosen, choose, redraw }),
      permits(channel, MAY.manageChannels) && channelRemoval(channel, api),
    ];
  };
  openPanel({ title: "Channel settings", store, draw });
}

function channelFields(channel, change) {
  const pace = String(channel.rate_limit_per_user ?? 0);
  const paces = { ...SLOWMODES, [pace]: SLOWMODES[pace] ?? `${pace} seconds` };
  const choices = Object.entries(paces).map(([value, label]) => ({ value, label }));
  return [
    textField("Name", channel.name, (name) => change({ name })),
    textField("Topic", channel.topic ?? "", (topic) => change({ topic }), { required: false, maxLength: 1024 }),
    !isForum(channel) &&
      chooser("Slow mode", choices, pace, (value) => change({ rate_limit_per_user: Number(value) })),
  ];
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

function channelRemoval(channel, api) {
  const ask = (event) => {
    event.target.closest("dialog").close();
    confirm({
      title: `Delete ${channel.name}?`,
      text: "Its messages and threads go with it.",
      submitLabel: "Delete",
      submit: () => api.deleteChannel(channel.id),
    });
  };
  return h("div", { class: "panel-actions" }, button("Delete the channel", "danger", ask));
}

function chooser(label, options, chosen, choose) {
  const select = h(
    "select",
    { "data-key": label, onchange: () => choose(select.value) },
    options.map((option) => h("option", { value: option.value, selected: option.value === chosen }, option.label)),
  );
  return h("label", { class: "field" }, h("span", { class: "field-label" }, label), select);
}

/** A line that is taken over when one leaves it, or with Enter. */
function textField(label, value, change, { required = true, maxLength = LONGEST_NAME } = {}) {
  const input = h("input", {
    type: "text",
    value,
    maxlength: String(maxLength),
    "data-key": label,
    onchange: () => (input.value.trim() || !required) && change(input.value.trim()),
  });
  return h("label", { class: "field" }, h("span", { class: "field-label" }, label), input);
}

function button(label, kind, onclick) {
  return h("button", { type: "button", class: `button ${kind}`, "data-key": label, onclick }, label);
}
