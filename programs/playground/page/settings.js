/** The settings of the server: its roles and its members. What one changes there holds at once. */

import { askCategory, askChannel, FORUM, TEXT } from "./channel_settings.js";
import { askText, confirm, openPanel } from "./dialogs.js";
import { h } from "./dom.js";
import { displayName, MAY, permits, rolesOf, timedOutUntil } from "./entities.js";
import { button, chooser, textField } from "./fields.js";
import { roleGrid } from "./permission_grid.js";
import { formatStamp } from "./time.js";
import { orToast } from "./toast.js";

const LONGEST_PERSON = 32;
const TIME_OUTS = { 60: "1 minute", 300: "5 minutes", 600: "10 minutes", 3600: "1 hour", 86400: "1 day", 604800: "1 week" };

/** What one can do with the server as a whole, as items of a menu. */
export function guildItems({ api, store, actions }) {
  const may = (bit) => permits(store.guild, bit);
  const context = { api, store };
  return [
    { label: "Members", run: () => openMembers(context, store.me.id) },
    may(MAY.manageRoles) && { label: "Roles and permissions", run: () => openRoles(context) },
    may(MAY.manageChannels) && { label: "New channel", run: () => askChannel({ ...context, actions }, TEXT) },
    may(MAY.manageChannels) && { label: "New forum", run: () => askChannel({ ...context, actions }, FORUM) },
    may(MAY.manageChannels) && { label: "New category", run: () => askCategory(api) },
    { label: "Let somebody join", run: () => askPerson(api) },
  ].filter(Boolean);
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
