import type { TargetStore } from '../../core/stores.ts'
import type { ConnectionSource } from '../slot/connection-slot.ts'
import type { PinReview } from './pins.ts'

/** The source, whose connections are given out once it is decided, and durable, what of their offers may be served. */
export function reviewSource(source: ConnectionSource, review: PinReview): ConnectionSource {
  return {
    ...source,
    async open(signal, notes) {
      const connection = await source.open(signal, notes)
      await review.prepare(connection)
      return connection
    },
  }
}

/** The store, which says what is remembered once the review can say what of it may be served. */
export function reviewMemory(targets: TargetStore, review: PinReview): TargetStore {
  return {
    ...targets,
    async recall(connection) {
      const [found] = await Promise.all([targets.recall(connection), review.load()])
      return found
    },
  }
}
