/** Where a moment of a turn is drawn: a time of waiting for people, however long, is drawn short. */

const LONGEST_WAIT = 0.15; // of the time in which something was done

export class Timeline {
  /** `end` and the `waits`, in order and without overlaps, are in seconds from the turn's beginning. */
  constructor(end, waits) {
    const waited = waits.reduce((sum, wait) => sum + wait.seconds, 0);
    const longest = Math.max(end - waited, 0.000001) * LONGEST_WAIT;
    this.cuts = waits.filter((wait) => wait.seconds > longest).map((wait) => ({ ...wait, hidden: wait.seconds - longest }));
    this.length = this.place(end) || 0.000001;
  }

  /** Seconds that are not drawn. */
  get hidden() {
    return this.cuts.reduce((sum, cut) => sum + cut.hidden, 0);
  }

  /** The part of the whole drawing, 0 to 1, that is before a moment. */
  at(second) {
    return this.place(second) / this.length;
  }

  place(second) {
    return this.cuts.reduce((place, { start, seconds, hidden }) => {
      const passed = Math.min(Math.max((second - start) / seconds, 0), 1);
      return place - hidden * passed;
    }, second);
  }
}
