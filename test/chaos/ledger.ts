/** What one client asked to be written, and what it was told about it. */
export type Told = 'done' | 'not-done' | 'unknown'

/** Everything that was to be written during a run, for the accounts at its end. */
export class Ledger {
  readonly #entries = new Map<string, Told>()

  /** Before the call is sent: until it is told otherwise, nobody knows. */
  begin(id: string): void {
    this.#entries.set(id, 'unknown')
  }

  settle(id: string, told: Told): void {
    this.#entries.set(id, told)
  }

  count(told: Told): number {
    return [...this.#entries.values()].filter((each) => each === told).length
  }

  /** What is wrong, one sentence each: `written` is every id that the database holds, as often as it holds it. */
  audit(place: string, written: readonly string[]): string[] {
    const times = new Map<string, number>()
    for (const id of written) times.set(id, (times.get(id) ?? 0) + 1)
    const faults: string[] = []
    for (const [id, told] of this.#entries) {
      const count = times.get(id) ?? 0
      if (count > 1) faults.push(`${place}: ${id} was written ${count} times`)
      if (told === 'done' && count === 0) faults.push(`${place}: ${id} was acknowledged and is not there`)
      if (told === 'not-done' && count > 0) faults.push(`${place}: ${id} was refused and is there`)
    }
    return faults
  }
}
