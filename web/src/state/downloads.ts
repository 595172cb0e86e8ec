interface Download {
  readonly fileName: string;
  /** Runs once its end may have been missed. */
  timer?: ReturnType<typeof setTimeout>;
}

/** How long a download whose end may have been missed is waited for: it may as well go on. */
export const WAIT_MS = 600_000;

/** Downloads that were begun, until it is told how they ended. */
export class Downloads {
  /** The last one behind the others. Several may have one name. */
  private readonly begun: Download[] = [];

  begin(fileName: string): void {
    this.begun.push({ fileName });
  }

  hearEnd(fileName: string): void {
    const at = this.begun.findIndex((download) => download.fileName === fileName);
    if (at >= 0) clearTimeout(this.begun.splice(at, 1)[0]?.timer);
  }

  /** Ends may have been told while nobody heard. A download of which nothing is heard for long from now on is said, once. */
  miss(say: (fileName: string) => void): void {
    for (const download of this.begun) {
      download.timer ??= setTimeout(() => {
        this.begun.splice(this.begun.indexOf(download), 1);
        say(download.fileName);
      }, WAIT_MS);
    }
  }
}
