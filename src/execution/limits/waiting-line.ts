import type { Cancellation } from '../../core/cancellation.ts'

/** Calls that wait for a token, all lines together. */
const waitingMax = 1_000

/** One who waits; `begin` tells it that it is first. */
interface Place {
  begin(): void
}

/** Calls that wait for a token of one bucket, first come first served: only the first of them watches the bucket. */
export class WaitingLine {
  readonly #max: number
  readonly #lines = new Map<string, Place[]>()
  #waiting = 0

  constructor(max = waitingMax) {
    this.#max = max
  }

  /** Whether nobody waits there. */
  isEmpty(key: string): boolean {
    return !this.#lines.has(key)
  }

  /**
   * Resolves when the caller is first, with what it must call when it is done; rejects with the cancellation’s reason.
   * `undefined`: too many wait already.
   */
  join(key: string, cancellation: Cancellation): Promise<() => void> | undefined {
    if (this.#waiting >= this.#max) return undefined
    this.#waiting += 1
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#leave(key, place)
        reject(cancellation.reason)
      }
      const place: Place = {
        begin: () => {
          cancellation.removeEventListener('abort', stop)
          resolve(() => this.#leave(key, place))
        },
      }
      const line = this.#lines.get(key)
      if (line !== undefined) line.push(place)
      else this.#lines.set(key, [place])
      if (cancellation.aborted) stop()
      else if (line === undefined) place.begin()
      else cancellation.addEventListener('abort', stop)
    })
  }

  #leave(key: string, place: Place): void {
    const line = this.#lines.get(key)
    const at = line?.indexOf(place) ?? -1
    if (line === undefined || at === -1) return
    this.#waiting -= 1
    line.splice(at, 1)
    if (line.length === 0) this.#lines.delete(key)
    else if (at === 0) line[0]!.begin()
  }
}
