/** Writes something into a storage of the browser, which may be full or forbidden. Answers whether it is there. */
export function keeps(storage: Pick<Storage, "setItem">, key: string, text: string): boolean {
  try {
    storage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}
