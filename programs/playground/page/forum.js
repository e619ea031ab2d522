/** What a forum shows in place of messages: its posts, and the way to write one. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

export function forumView(forum, { store, actions }) {
  const posts = store.threads.filter((thread) => thread.parent_id === forum.id).reverse();
  return [
    h("h2", {}, forum.name),
    h("p", {}, posts.length > 0 ? "Posts, the newest first:" : "There are no posts yet."),
    h("button", { class: "button primary", type: "button", onclick: () => actions.createPost(forum) }, "New post"),
    h(
      "ul",
      { class: "posts", "aria-label": "Posts" },
      posts.map((post) => h("li", {}, postCard(post, actions))),
    ),
  ];
}

function postCard(post, actions) {
  const { archived } = post.thread_metadata ?? {};
  return h(
    "button",
    { class: "thread-card", type: "button", onclick: () => actions.openChannel(post.id) },
    icon("thread"),
    h("strong", {}, post.name),
    archived && h("em", {}, "archived"),
  );
}
