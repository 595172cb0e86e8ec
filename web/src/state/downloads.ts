/** Downloads that were begun, until it is told how they ended. */
export class Downloads {
  /** Names of files, the last one behind the others. Several may have one name. */
  private readonly begun: string[] = [];

  begin(fileName: string): void {
    this.begun.push(fileName);
  }

  hearEnd(fileName: string): void {
    const at = this.begun.indexOf(fileName);
    if (at >= 0) this.begun.splice(at, 1);
  }

  /** What may have ended while nobody heard. It is said once. */
  miss(): readonly string[] {
    return this.begun.splice(0);
  }
}
