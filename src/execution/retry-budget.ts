/** R9: of the calls of a connection within the window this share may be retries, and some a second more. */
const budget = { windowSeconds: 10, share: 0.2, perSecond: 3 }

/**
 * How much retrying one connection bears: a system that is down gets at most a quarter more load for it, however many
 * calls fail. Counts by the second, over the last ten.
 */
export class RetryBudget {
  readonly #calls = new Float64Array(budget.windowSeconds)
  readonly #retries = new Float64Array(budget.windowSeconds)
  #second = 0
  #callsInWindow = 0
  #retriesInWindow = 0

  /** A call, not one of its retries. */
  countCall(nowMs: number): void {
    this.#advance(nowMs)
    this.#calls[this.#second % budget.windowSeconds]! += 1
    this.#callsInWindow += 1
  }

  /** Whether one more retry fits; it is counted then. */
  take(nowMs: number): boolean {
    this.#advance(nowMs)
    const most = budget.share * this.#callsInWindow + budget.perSecond * budget.windowSeconds
    if (this.#retriesInWindow + 1 > most) return false
    this.#retries[this.#second % budget.windowSeconds]! += 1
    this.#retriesInWindow += 1
    return true
  }

  #advance(nowMs: number): void {
    const second = Math.floor(nowMs / 1_000)
    if (second === this.#second) return
    const passed = Math.min(second - this.#second, budget.windowSeconds)
    for (let i = 1; i <= passed; i += 1) {
      const at = (this.#second + i) % budget.windowSeconds
      this.#callsInWindow -= this.#calls[at]!
      this.#retriesInWindow -= this.#retries[at]!
      this.#calls[at] = 0
      this.#retries[at] = 0
    }
    this.#second = second
  }
}
