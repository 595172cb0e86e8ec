import { createStore, type StoreApi } from "zustand/vanilla";

/** A word at the edge of the page. */
export interface Toast {
  readonly id: number;
  readonly tone: "plain" | "danger";
  readonly text: string;
  /** More about it, on a second line. */
  readonly detail?: string;
}

const STAY_MS = 5_000;
const SHOWN_MAX = 4;

/** Says what has happened elsewhere than where the user looks. Errors stay until they are closed. */
export class Toasts {
  readonly store: StoreApi<readonly Toast[]> = createStore<readonly Toast[]>(() => []);
  private last = 0;

  say(text: string): void {
    const id = this.add({ tone: "plain", text });
    setTimeout(() => this.close(id), STAY_MS);
  }

  fail(text: string, detail: string): void {
    this.add({ tone: "danger", text, ...(detail === "" ? {} : { detail }) });
  }

  close(id: number): void {
    this.store.setState(this.store.getState().filter((toast) => toast.id !== id), true);
  }

  private add(toast: Omit<Toast, "id">): number {
    const id = ++this.last;
    // What is said again takes the place of what was said.
    const others = this.store.getState().filter(({ tone, text, detail }) => tone !== toast.tone || text !== toast.text || detail !== toast.detail);
    this.store.setState([...others, { ...toast, id }].slice(-SHOWN_MAX), true);
    return id;
  }
}
