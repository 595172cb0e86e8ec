import type { WatchEventsResponse } from "../gen/core/v1/event_pb.ts";
import { downloadLosses } from "../results/download_losses.ts";
import type { Downloads } from "./downloads.ts";
import type { Core } from "../transport/core.ts";
import type { LinkKeeper } from "./link.ts";
import { SETTINGS_ID } from "./kept_document.ts";
import type { News } from "./news.ts";
import type { Runs } from "./runs.ts";
import type { TabSessions } from "./tab_sessions.ts";
import type { Toasts } from "./toasts.ts";
import type { Views } from "./views.ts";

/** Who wants to know. */
interface Hearers {
  readonly runs: Runs;
  readonly views: Views;
  readonly sessions: TabSessions;
  readonly toasts: Toasts;
  readonly news: News;
  readonly downloads: Downloads;
  /** What was told while nobody listened is not heard any more. */
  readonly lookAtAll: () => void;
}

const AGAIN_MS = 1_000;

/** The one long stream of the page: Core tells of what the page holds. */
export class Events {
  private readonly over = new AbortController();
  private stream = new AbortController();

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
    private readonly hearers: Hearers,
    private readonly frontEndId: string,
  ) {}

  /** Listens until the page goes. A stream that breaks is opened again once Core is there. */
  async listen(): Promise<void> {
    const { signal } = this.over;
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      this.stream = new AbortController();
      const stream = AbortSignal.any([signal, this.stream.signal]);
      try {
        // What is asked for behind this is not older than what will be told.
        const onHeader = () => {
          if (!isFirst) this.hearers.lookAtAll();
        };
        for await (const { event } of this.core.events.watchEvents({ frontEndId: this.frontEndId }, { signal: stream, onHeader })) {
          this.tell(event);
        }
      } catch (error) {
        if (signal.aborted) return;
        this.link.hear(error);
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      await this.link.whenIn();
    }
  }

  /** Listens anew: the stream may have broken without a word, as over the sleep of a machine. */
  again(): void {
    this.stream.abort();
  }

  close(): void {
    this.over.abort();
  }

  private tell(event: WatchEventsResponse["event"]): void {
    const { runs, views, sessions, toasts, news } = this.hearers;
    switch (event.case) {
      case "resultChanged":
      case "resultNotice":
        return runs.hear(event.value.resultId);
      case "viewChanged":
        return views.hear(event.value.resultId, event.value.view?.view ?? 0);
      case "missed":
        return this.hearers.lookAtAll();
      case "idleWarning":
        return sessions.hearIdle(event.value.sessionId);
      case "leaseEnded": {
        const why = sessions.hearEnd(event.value.sessionId, event.value.cause, event.value.transactionLost);
        if (why !== undefined) toasts.fail("The session of a tab has ended", why);
        return;
      }
      case "notified": {
        const { channel, payload } = event.value.notification ?? { channel: "", payload: "" };
        return toasts.say(`${channel}: ${payload}`);
      }
      case "downloadEnded": {
        this.hearers.downloads.hearEnd(event.value.fileName);
        const lost = downloadLosses(event.value);
        if (lost !== undefined) toasts.fail(`${event.value.fileName} is not what the database has`, lost);
        return;
      }
      case "resultDropped":
        return runs.hearDropped(event.value.resultId, event.value.cause);
      case "keptChanged":
        return news.hear(event.value, SETTINGS_ID);
      case undefined:
        return;
    }
  }
}
