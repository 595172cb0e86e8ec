import type { App } from "./app.ts";

/** Lays SQL out anew, as the database of a driver reads it. `undefined`: it could not be done, and that was said. */
export async function formatted(app: App, driverType: string, text: string): Promise<string | undefined> {
  try {
    const answer = await app.core.scripts.formatScript({ driverType, text });
    if (answer.leftCount > 0) {
      const what = answer.leftCount === 1 ? "One statement stayed as it was" : `${answer.leftCount} statements stayed as they were`;
      app.toasts.say(`${what}: formatted, it might mean something else`);
    } else if (answer.text === text) app.toasts.say("It is formatted already");
    return answer.text;
  } catch (error) {
    const problem = app.link.hear(error);
    if (problem !== undefined) app.toasts.fail("Nothing was formatted", problem.message);
    return undefined;
  }
}

/** How many signs that are no white space a text has. */
export function signsBefore(text: string): number {
  return text.replaceAll(/\s/g, "").length;
}

/** The place in a text behind so many signs that are no white space. */
export function placeAmong(text: string, signs: number): number {
  let left = signs;
  for (let at = 0; at < text.length; at++) {
    if (left === 0) return at;
    if (!/\s/.test(text.charAt(at))) left--;
  }
  return text.length;
}
