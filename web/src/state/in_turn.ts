/** Has something done once at a time. Whoever asks while it is done waits for one that begins after it: one is enough for all of them. */
export function inTurn(act: () => Promise<void>): () => Promise<void> {
  let now: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const ask = (): Promise<void> => {
    if (now === undefined) {
      now = act().finally(() => (now = undefined));
      return now;
    }
    const follow = () => {
      next = undefined;
      return ask();
    };
    next ??= now.then(follow, follow);
    return next;
  };
  return ask;
}

/** Has one thing done after the other, as they are asked for. */
export function oneByOne(): (act: () => Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (act) => {
    last = last.then(act, act);
    return last;
  };
}
