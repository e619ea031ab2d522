/** The live connection: reconnects with back-off, and asks for a fresh state each time it is up. */

const FIRST_DELAY = 500;
const LONGEST_DELAY = 8000;

export class Connection {
  #socket = null;
  #timer = null;
  #delay = FIRST_DELAY;
  #closed = false;

  /**
   * `onOpen` loads the state and may take its time: events that arrive meanwhile are held and handed to
   * `onEvent` after it, so that none falls between state and stream. `onDown` hears of each loss.
   */
  constructor({ as, onOpen, onEvent, onDown }) {
    this.handlers = { onOpen, onEvent, onDown };
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.url = `${scheme}//${location.host}/playground/events?as=${encodeURIComponent(as)}`;
    this.#connect();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #connect() {
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    let held = [];
    socket.addEventListener("open", async () => {
      try {
        await this.handlers.onOpen();
      } catch {
        socket.close();
        return;
      }
      this.#delay = FIRST_DELAY;
      const waiting = held;
      held = null;
      waiting.forEach(this.handlers.onEvent);
    });
    socket.addEventListener("message", ({ data }) => {
      if (this.#closed) return;
      const event = JSON.parse(data);
      if (held) held.push(event);
      else this.handlers.onEvent(event);
    });
    socket.addEventListener("close", () => this.#retry());
  }

  #retry() {
    if (this.#closed) return;
    this.handlers.onDown();
    this.#timer = setTimeout(() => this.#connect(), this.#delay * (0.75 + Math.random() / 2));
    this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY);
  }
}
