import { createStore, type StoreApi } from "zustand/vanilla";
import { type View, ViewState } from "../gen/core/v1/result_pb.ts";
import { AS_THEY_CAME, type Arrangement, stepsOf, type ViewStep } from "../results/arrangement.ts";
import type { ResultColumn } from "../results/source.ts";
import type { Core } from "../transport/core.ts";
import { metadataOf, type Problem } from "../transport/problem.ts";
import type { LinkKeeper } from "./link.ts";

/** How the rows of a statement are arranged, and which of them are shown. */
export interface Arranged {
  readonly arrangement: Arrangement;
  /** The view that is shown. Absent: the statement's own rows. */
  readonly shown: ShownView | undefined;
  /** The share that is done of what is being made. Absent: nothing is. */
  readonly making: number | undefined;
  /** Why the arrangement could not be made. */
  readonly problem: Problem | undefined;
}

export interface ShownView {
  readonly view: number;
  readonly rowCount: number;
  /** Rows of the statement that it is made of. */
  readonly sourceRowCount: number;
}

interface StatementPlace {
  readonly resultId: string;
  readonly statement: number;
}

/** A view that was made, and of what. */
interface Made {
  readonly step: string;
  readonly view: View;
}

const PLAIN: Arranged = { arrangement: AS_THEY_CAME, shown: undefined, making: undefined, problem: undefined };
/** What is being made is looked at this often where no event tells of it. */
const LOOK_MS = 1_000;

/** Has Core sort, filter and search kept results: each step is a view of the one before. */
export class Views {
  readonly store: StoreApi<ReadonlyMap<string, Arranged>> = createStore<ReadonlyMap<string, Arranged>>(() => new Map());
  private readonly chains = new Map<string, readonly Made[]>();
  private readonly turns = new Map<string, AbortController>();
  private readonly waiting = new Map<string, () => void>();

  constructor(
    private readonly core: Core,
    private readonly link: LinkKeeper,
  ) {}

  of(place: StatementPlace): Arranged {
    return this.store.getState().get(keyOf(place)) ?? PLAIN;
  }

  /** Arranges the rows that are there now. What was made before is used again unless `isAnew`. */
  async arrange(place: StatementPlace, columns: readonly ResultColumn[], arrangement: Arrangement, isAnew = false): Promise<void> {
    const key = keyOf(place);
    this.turns.get(key)?.abort();
    const turn = new AbortController();
    this.turns.set(key, turn);
    const steps = stepsOf(arrangement, columns);
    const old = this.chains.get(key) ?? [];
    const common = isAnew ? 0 : commonLength(old, steps);
    const chain = old.slice(0, common);
    this.set(key, { ...this.of(place), arrangement, making: steps.length > common ? 0 : undefined, problem: undefined });
    try {
      for (const step of steps.slice(common)) {
        const view = await this.make(place, chain.at(-1)?.view.view ?? 0, step, turn.signal);
        chain.push({ step: JSON.stringify(step), view });
      }
      turn.signal.throwIfAborted();
    } catch (error) {
      this.drop(place, chain.slice(common));
      if (turn.signal.aborted) return;
      const problem = error instanceof NotMade ? error.problem : named(this.link.hear(error), columns[Number(metadataOf(error).column ?? -1)]);
      this.set(key, { ...this.of(place), making: undefined, problem });
      return;
    }
    this.chains.set(key, chain);
    this.set(key, { arrangement, shown: shownOf(chain), making: undefined, problem: undefined });
    this.drop(place, old.slice(common));
  }

  /** Hears that a view has come along. */
  hear(resultId: string, view: number): void {
    this.waiting.get(`${resultId} ${view}`)?.();
  }

  /** Forgets what was arranged of a result that is no more. */
  forget(resultId: string): void {
    const kept = new Map(this.store.getState());
    for (const key of kept.keys()) {
      if (!key.startsWith(resultId)) continue;
      this.turns.get(key)?.abort();
      this.turns.delete(key);
      this.chains.delete(key);
      kept.delete(key);
    }
    this.store.setState(kept, true);
  }

  private async make(place: StatementPlace, ofView: number, kind: ViewStep, signal: AbortSignal): Promise<View> {
    let { view } = await this.core.results.makeView({ ...place, ofView, kind });
    while (view?.state === ViewState.MAKING && !signal.aborted) {
      const share = view.stepsAll === 0n ? 0 : Number(view.stepsDone) / Number(view.stepsAll);
      this.set(keyOf(place), { ...this.of(place), making: Math.min(1, share) });
      await this.comesAlong(place.resultId, view.view, signal);
      if (!signal.aborted) ({ view } = await this.core.results.getView({ resultId: place.resultId, view: view.view }));
    }
    if (view?.state === ViewState.READY && !signal.aborted) return view;
    if (view !== undefined) this.drop(place, [{ step: "", view }]);
    throw new NotMade(view?.failure?.message ?? "It could not be made");
  }

  private comesAlong(resultId: string, view: number, signal: AbortSignal): Promise<void> {
    const key = `${resultId} ${view}`;
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        this.waiting.delete(key);
        resolve();
      };
      const timer = setTimeout(go, LOOK_MS);
      this.waiting.set(key, go);
      signal.addEventListener("abort", go, { once: true });
    });
  }

  private drop({ resultId }: StatementPlace, views: readonly Made[]): void {
    for (const { view } of views) {
      // A view that is not dropped goes with its result.
      this.core.results.dropView({ resultId, view: view.view }).catch(() => undefined);
    }
  }

  private set(key: string, arranged: Arranged): void {
    this.store.setState(new Map(this.store.getState()).set(key, arranged), true);
  }
}

/** A value that is none of a column: by the column's name. */
function named(problem: Problem | undefined, column: ResultColumn | undefined): Problem | undefined {
  if (problem?.reason !== "VIEW_INVALID" || column === undefined) return problem;
  const advice = `Write it as the column shows its values${column.type === "" ? "" : `, which are of type ${column.type}`}.`;
  return { ...problem, message: `What ${column.name} is compared with is none of its values`, advice };
}

class NotMade extends Error {
  readonly problem: Problem;

  constructor(message: string) {
    super(message);
    this.problem = { message: message.charAt(0).toUpperCase() + message.slice(1), reason: "", advice: "" };
  }
}

export function keyOf({ resultId, statement }: StatementPlace): string {
  return `${resultId} ${statement}`;
}

function commonLength(made: readonly Made[], steps: readonly ViewStep[]): number {
  const differs = made.findIndex(({ step }, index) => step !== JSON.stringify(steps[index]));
  return differs < 0 ? made.length : differs;
}

function shownOf(chain: readonly Made[]): ShownView | undefined {
  const [first, last] = [chain[0]?.view, chain.at(-1)?.view];
  if (first === undefined || last === undefined) return undefined;
  return { view: last.view, rowCount: Number(last.rowCount), sourceRowCount: Number(first.sourceRowCount) };
}
