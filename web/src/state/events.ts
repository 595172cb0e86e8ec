import type { Core } from "../transport/core.ts";
import type { LinkKeeper } from "./link.ts";
import type { Runs } from "./runs.ts";

/** What each event of a result has. */
interface ResultEvent {
  readonly resultId: string;
}

const AGAIN_MS = 1_000;

/** The one long stream of the page: Core tells of what the page holds. */
export class Events {
  private readonly over = new AbortController();

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
    private readonly runs: Runs,
    private readonly frontEndId: string,
  ) {}

  /** Listens until the page goes. A stream that breaks is opened again once Core is there. */
  async listen(): Promise<void> {
    const { signal } = this.over;
    while (!signal.aborted) {
      try {
        for await (const { event } of this.core.events.watchEvents({ frontEndId: this.frontEndId }, { signal })) {
          const name: string | undefined = event.case;
          if (name === "resultChanged") this.runs.hear((event.value as unknown as ResultEvent).resultId);
        }
      } catch (error) {
        if (signal.aborted) return;
        this.link.hear(error);
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      await this.isIn();
    }
  }

  close(): void {
    this.over.abort();
  }

  private isIn(): Promise<void> {
    if (this.link.store.getState().kind === "in") return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.link.store.subscribe((link) => {
        if (link.kind !== "in") return;
        stop();
        resolve();
      });
    });
  }
}
