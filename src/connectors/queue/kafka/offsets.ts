/** A record on its way through Weir. */
export interface Passing {
  readonly partition: number
  readonly offset: bigint
  isDone: boolean
}

/**
 * What was taken of each partition and is not done with, in order. Kafka knows of a partition only how far it was read,
 * so no further may be committed than everything before is done with.
 */
export class Offsets<T extends Passing> {
  readonly #passing = new Map<number, T[]>()
  readonly #next = new Map<number, bigint>()

  /** False where the record was taken before. */
  add(record: T): boolean {
    const next = this.#next.get(record.partition)
    if (next !== undefined && record.offset < next) return false
    this.#next.set(record.partition, record.offset + 1n)
    const row = this.#passing.get(record.partition)
    if (row === undefined) this.#passing.set(record.partition, [record])
    else row.push(record)
    return true
  }

  /** The offset that can be committed now that the record is done with; undefined where others before it are not. */
  finish(record: T): bigint | undefined {
    record.isDone = true
    const row = this.#passing.get(record.partition) ?? []
    const open = row.findIndex(({ isDone }) => !isDone)
    const last = row[(open === -1 ? row.length : open) - 1]
    row.splice(0, open === -1 ? row.length : open)
    return last === undefined ? undefined : last.offset + 1n
  }

  /** As when partitions were dealt out anew. */
  clear(): void {
    this.#passing.clear()
    this.#next.clear()
  }
}
