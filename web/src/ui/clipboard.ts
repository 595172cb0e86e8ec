/** Puts text on the clipboard. Answers whether the browser let it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Puts a text on the clipboard that is still being made: a browser lets a page do so only while the key press is fresh. */
export async function copyMade(text: Promise<string>): Promise<boolean> {
  const made = text.then((whole) => new Blob([whole], { type: "text/plain" }));
  // Whoever made it hears of its failure by the text itself.
  made.catch(() => {});
  try {
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": made })]);
    return true;
  } catch {
    return copyText(await text);
  }
}
