const keysMax = 10_000

/**
 * Deliveries that were none to anybody: NATS counts those that Weir gave back because the receiver had left, or because
 * the message was not due yet. The oldest are forgotten first; those then count as attempts.
 */
export class Uncounted {
  readonly #counts = new Map<string, number>()

  add(queue: string, sequence: number): void {
    const key = `${queue} ${sequence}`
    const count = this.of(queue, sequence)
    this.#counts.delete(key)
    const [oldest] = this.#counts.size >= keysMax ? this.#counts.keys() : []
    if (oldest !== undefined) this.#counts.delete(oldest)
    this.#counts.set(key, count + 1)
  }

  of(queue: string, sequence: number): number {
    return this.#counts.get(`${queue} ${sequence}`) ?? 0
  }

  forget(queue: string, sequence: number): void {
    this.#counts.delete(`${queue} ${sequence}`)
  }
}
