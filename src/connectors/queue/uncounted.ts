const keysMax = 10_000

/**
 * Deliveries that were none to anybody: brokers count those that Weir gave back because the receiver had left, or because
 * the message was not due yet. The oldest are forgotten first; those then count as attempts.
 */
export class Uncounted {
  readonly #counts = new Map<string, number>()

  add(queue: string, message: number | string): void {
    const key = `${queue} ${message}`
    const count = this.of(queue, message)
    this.#counts.delete(key)
    const [oldest] = this.#counts.size >= keysMax ? this.#counts.keys() : []
    if (oldest !== undefined) this.#counts.delete(oldest)
    this.#counts.set(key, count + 1)
  }

  of(queue: string, message: number | string): number {
    return this.#counts.get(`${queue} ${message}`) ?? 0
  }

  forget(queue: string, message: number | string): void {
    this.#counts.delete(`${queue} ${message}`)
  }
}
