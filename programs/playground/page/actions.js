/** What people do: each a call to the playground, its failure told in words. */

import { askText, openDialog } from "./dialogs.js";
import { h } from "./dom.js";
import { plainText } from "./markdown.js";
import { decodeMentions } from "./mentions.js";
import { namesOf } from "./people.js";
import { orToast, toast } from "./toast.js";

const LONGEST_NAME = 100;

/** The actions that need only the store and the API; the program adds those that concern its views. */
export function channelActions(api, store) {
  return {
    post: (draft) => api.send(store.current, draft),
    send: (content) => orToast(() => api.send(store.current, { content })),
    typing: () => api.typing(store.current).catch(() => null),
    react: (message, emoji, on) => orToast(() => api.react(message.channel_id, message.id, emoji, on)),
    pin: (message, on) => orToast(() => api.pin(message.channel_id, message.id, on)),
    dismiss: ({ channel_id: channelId, id, failed }) =>
      failed ? store.remove(channelId, id) : orToast(() => api.remove(channelId, id)),
    save: (message, content) => saveEdit(api, store, message, content),
    remove: (message) => confirmRemoval(api, store, message),
    copy: (message) => orToast(() => copy(decodeMentions(message.content, store))),
    useCommand: (command, options, files) =>
      api.interact("command", { channel_id: store.current, command_id: command.id, options }, files),
    useOn: (command, targetId) =>
      orToast(() =>
        api.interact("command", {
          channel_id: store.current,
          command_id: command.id,
          options: [],
          target_id: targetId,
        }),
      ),
    useComponent: (message, customId, values) =>
      orToast(() =>
        api.interact("component", {
          channel_id: message.channel_id,
          message_id: message.id,
          custom_id: customId,
          ...(values && { values }),
        }),
      ),
    submitModal: (modal, values) => api.interact("modal", { modal_id: modal.modal_id, values }),
    autocomplete: (invocation, given, focused) => autocomplete(api, store, invocation, given, focused),
    changeThread: (thread, changes) => orToast(() => api.changeChannel(thread.id, changes)),
    renameThread: (thread) =>
      askText({
        title: "Rename the thread",
        label: "Name",
        value: store.channel(thread.id)?.name ?? thread.name,
        submitLabel: "Rename",
        maxLength: LONGEST_NAME,
        submit: (name) => api.changeChannel(thread.id, { name }),
      }),
  };
}

/** Ask for title and text of a post in `forum`, make it and answer through `opened(thread)`. */
export function askPost(api, forum, opened) {
  const title = h("input", { type: "text", required: true, maxlength: String(LONGEST_NAME) });
  const text = h("textarea", { rows: "5", maxlength: "2000" });
  const files = h("input", { type: "file", multiple: true });
  const field = (label, input) => h("label", { class: "field" }, h("span", { class: "field-label" }, label), input);
  openDialog({
    title: `New post in ${forum.name}`,
    submitLabel: "Post",
    content: [field("Title", title), field("Message", text), field("Files", files)],
    submit: async () =>
      opened(await api.createPost(forum.id, title.value.trim(), text.value.trim(), [...files.files])),
  });
}

/** Ask for a name, open a thread on `message` (or on none) and answer through `opened(thread)`. */
export function askThread(api, store, message, opened) {
  const suggestion = message ? wordsOf(message, store).slice(0, 60) : "";
  askText({
    title: "Create a thread",
    label: "Thread name",
    value: suggestion,
    submitLabel: "Create",
    maxLength: LONGEST_NAME,
    submit: async (name) => opened(await api.createThread(store.current, name, message?.id)),
  });
}

/** A message's words for a dialog, with names in place of ids. */
function wordsOf(message, store) {
  return plainText(
    message.content,
    namesOf(store, () => null, message.mentions),
  );
}

async function saveEdit(api, store, message, content) {
  if (!content) {
    await confirmRemoval(api, store, message);
    return true;
  }
  return (await orToast(() => api.edit(message.channel_id, message.id, content))) !== null;
}

function confirmRemoval(api, store, message) {
  openDialog({
    title: "Delete the message?",
    submitLabel: "Delete",
    danger: true,
    content: h("p", {}, wordsOf(message, store).slice(0, 200) || "This cannot be undone."),
    submit: () => api.remove(message.channel_id, message.id),
  });
}

async function copy(text) {
  await navigator.clipboard.writeText(text);
  toast("Copied.", "note");
}

async function autocomplete(api, store, { command, wrap }, given, focused) {
  const options = wrap(given.map(({ option, text }) => ({ name: option.name, value: text })));
  const body = { channel_id: store.current, command_id: command.id, focused: focused.name, options };
  const answer = await api.interact("autocomplete", body).catch(() => null);
  return answer?.choices ?? [];
}
