/** The playground's HTTP calls, always made as one person. */

/** A refusal by the playground: `message` is written for the person who reads the page. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export class Api {
  /** `as` is a person's id, or null for whomever the playground names first. */
  constructor(as) {
    this.as = as;
  }

  state() {
    return this.#request("GET", `/playground/state${this.#query({})}`);
  }

  /** Up to 50 messages, newest first, older than `before` when it is given. */
  messages(channelId, before = null) {
    const query = this.#query({ limit: "50", ...(before && { before }) });
    return this.#request("GET", `/playground/channels/${channelId}/messages${query}`);
  }

  send(channelId, { content, replyTo = null, ping = true, files = [] }) {
    const body = { as: this.as, content, ping, ...(replyTo && { reply_to: replyTo }) };
    return this.#request("POST", `/playground/channels/${channelId}/messages`, withFiles(body, files));
  }

  edit(channelId, messageId, content) {
    return this.#request("PATCH", this.#message(channelId, messageId), { as: this.as, content });
  }

  remove(channelId, messageId) {
    return this.#request("DELETE", this.#message(channelId, messageId), { as: this.as });
  }

  /** Add (`on`) or take back one's own reaction. */
  react(channelId, messageId, emoji, on) {
    const path = `${this.#message(channelId, messageId)}/reactions/${encodeURIComponent(emoji)}`;
    return this.#request(on ? "PUT" : "DELETE", path, { as: this.as });
  }

  /** The pinned messages of a channel, the last pinned first. */
  pins(channelId) {
    return this.#request("GET", `/playground/channels/${channelId}/pins${this.#query({})}`);
  }

  /** Pin (`on`) or unpin a message. */
  pin(channelId, messageId, on) {
    return this.#request(on ? "PUT" : "DELETE", `${this.#message(channelId, messageId)}/pin`, { as: this.as });
  }

  typing(channelId) {
    return this.#request("POST", `/playground/channels/${channelId}/typing`, { as: this.as });
  }

  createThread(channelId, name, messageId = null) {
    const body = { as: this.as, name, ...(messageId && { message_id: messageId }) };
    return this.#request("POST", `/playground/channels/${channelId}/threads`, body);
  }

  /** Change a thread (`name`, `archived`, `locked`) or a channel (`name`, `topic`, `rate_limit_per_user`, `parent_id`). */
  changeChannel(channelId, changes) {
    return this.#request("PATCH", `/playground/channels/${channelId}`, { as: this.as, ...changes });
  }

  deleteChannel(channelId) {
    return this.#request("DELETE", `/playground/channels/${channelId}`, { as: this.as });
  }

  /** A channel, in a category or in none, or a category. */
  createChannel(name, type, categoryId = null) {
    const body = { as: this.as, name, type, ...(categoryId && { parent_id: categoryId }) };
    return this.#request("POST", "/playground/channels", body);
  }

  /** What a role or a member may and may not in a channel, as digits. */
  overwrite(channelId, targetId, allow, deny) {
    const path = `/playground/channels/${channelId}/overwrites/${targetId}`;
    return this.#request("PUT", path, { as: this.as, allow, deny });
  }

  createRole(name) {
    return this.#request("POST", "/playground/roles", { as: this.as, name });
  }

  /** Change a role: any of `name`, `permissions`. */
  changeRole(roleId, changes) {
    return this.#request("PATCH", `/playground/roles/${roleId}`, { as: this.as, ...changes });
  }

  deleteRole(roleId) {
    return this.#request("DELETE", `/playground/roles/${roleId}`, { as: this.as });
  }

  join(name) {
    return this.#request("POST", "/playground/members", { as: this.as, name });
  }

  /** Change a member: any of `roles`, `time_out` (seconds), `dms_closed`. */
  changeMember(userId, changes) {
    return this.#request("PATCH", `/playground/members/${userId}`, { as: this.as, ...changes });
  }

  removeMember(userId) {
    return this.#request("DELETE", `/playground/members/${userId}`, { as: this.as });
  }

  /** A post in a forum: a thread with its first message. */
  createPost(forumId, name, content, files) {
    const path = `/playground/channels/${forumId}/threads`;
    return this.#request("POST", path, withFiles({ as: this.as, name, content }, files));
  }

  openDm() {
    return this.#request("POST", "/playground/dms", { as: this.as });
  }

  /** Use a command, a component, a modal or an option's autocompletion. */
  interact(type, body, files = []) {
    return this.#request("POST", "/playground/interactions", withFiles({ as: this.as, type, ...body }, files));
  }

  #message(channelId, messageId) {
    return `/playground/channels/${channelId}/messages/${messageId}`;
  }

  #query(parameters) {
    const text = new URLSearchParams({ ...(this.as && { as: this.as }), ...parameters }).toString();
    return text && `?${text}`;
  }

  async #request(method, path, body = undefined) {
    const multipart = body instanceof FormData;
    let response;
    try {
      response = await fetch(path, {
        method,
        headers: body === undefined || multipart ? {} : { "Content-Type": "application/json" },
        body: body === undefined || multipart ? body : JSON.stringify(body),
      });
    } catch {
      throw new ApiError(0, "unreachable", "The playground does not answer. Is it still running?");
    }
    const answer = await response.json().catch(() => null);
    if (response.ok) return answer;
    const {
      code = response.status,
      message = `The playground answered ${response.status}.`,
      errors,
    } = answer?.error ?? {};
    throw new ApiError(response.status, code, faults(errors).join(" ") || message);
  }
}

/** `body` as it is, or, when files go with it, as Discord's multipart form. */
function withFiles(body, files) {
  if (files.length === 0) return body;
  const form = new FormData();
  form.append("payload_json", JSON.stringify(body));
  files.forEach((file, index) => form.append(`files[${index}]`, file, file.name));
  return form;
}

/** The sentences in Discord's tree of form errors: they say more than "Invalid Form Body" above them. */
function faults(tree) {
  if (typeof tree !== "object" || tree === null) return [];
  const { _errors: own = [], ...deeper } = tree;
  return [...own.map(({ message }) => message), ...Object.values(deeper).flatMap(faults)];
}
