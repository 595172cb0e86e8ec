import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { ResultService, type View, ViewSchema, ViewState } from "../gen/core/v1/result_pb.ts";
import { AS_THEY_CAME } from "../results/arrangement.ts";
import type { ResultColumn } from "../results/source.ts";
import { coreOver } from "../transport/core.ts";
import { LinkKeeper } from "./link.ts";
import { Views } from "./views.ts";

beforeEach(() => void vi.useFakeTimers());

const columns: readonly ResultColumn[] = [{ name: "a", type: "int", family: "number", isNumber: true, isKey: false }];
const place = { resultId: "r", statement: 0 };
const up = { ...AS_THEY_CAME, sort: [{ column: 0, isDescending: false }] };

/** A Core that makes views of ten rows, `slow` ones not before they are finished by hand. */
function maker({ slow = false, refuses = false } = {}) {
  const views = new Map<number, View>();
  const made: string[] = [];
  let last = 0;
  const transport = createRouterTransport(({ service }) => {
    service(ResultService, {
      makeView: ({ kind, ofView }) => {
        if (refuses) throw new ConnectError("the result has as many views as it may", Code.ResourceExhausted);
        const state = slow ? ViewState.MAKING : ViewState.READY;
        const view = create(ViewSchema, { view: ++last, ofView, state, rowCount: 10n, sourceRowCount: 10n });
        views.set(view.view, view);
        made.push(`${kind?.kind.case} of ${ofView}`);
        return { view };
      },
      getView: ({ view }) => ({ view: views.get(view) }),
      dropView: ({ view }) => {
        views.delete(view);
        return {};
      },
    });
  });
  const finish = () => {
    for (const [number, view] of views) views.set(number, create(ViewSchema, { ...view, state: ViewState.READY }));
  };
  const link = new LinkKeeper({ transport, enter: async () => ({ kind: "in" }) });
  return { views, made, finish, state: new Views(coreOver(transport), link) };
}

const settle = () => vi.advanceTimersByTimeAsync(5_000);

test("a further step is made of what is there, and what is not wanted any more is dropped", async () => {
  const { views, made, state } = maker();
  await state.arrange(place, columns, { ...up, filter: "a > 1" });
  await state.arrange(place, columns, { ...AS_THEY_CAME, filter: "a > 1", isDistinct: true });
  await settle();
  expect(made).toEqual(["filter of 0", "sort of 1", "distinct of 1"]);
  expect([...views.keys()]).toEqual([1, 3]);
  expect(state.of(place).shown).toEqual({ view: 3, rowCount: 10, sourceRowCount: 10 });
  await state.arrange(place, columns, AS_THEY_CAME);
  await settle();
  expect(state.of(place).shown).toBeUndefined();
  expect(views.size).toBe(0);
});

test("what takes long is waited for, and the rows before it stay in sight", async () => {
  const { finish, state } = maker({ slow: true });
  const making = state.arrange(place, columns, up);
  await settle();
  expect(state.of(place)).toMatchObject({ making: 0, shown: undefined, arrangement: up });
  finish();
  state.hear("r", 1);
  await making;
  expect(state.of(place)).toMatchObject({ making: undefined, shown: { view: 1 } });
});

test("a later wish ends an earlier one, and drops what it has begun", async () => {
  const { views, finish, state } = maker({ slow: true });
  const first = state.arrange(place, columns, up);
  await settle();
  const second = state.arrange(place, columns, { ...AS_THEY_CAME, isDistinct: true });
  await settle();
  finish();
  await settle();
  await Promise.all([first, second]);
  await settle();
  expect([...views.keys()]).toEqual([2]);
  expect(state.of(place)).toMatchObject({ shown: { view: 2 }, arrangement: { isDistinct: true } });
});

test("what cannot be made is said, and what was shown stays", async () => {
  const { state } = maker({ refuses: true });
  await state.arrange(place, columns, up);
  expect(state.of(place)).toMatchObject({ shown: undefined, making: undefined, problem: { message: "The result has as many views as it may" } });
});
