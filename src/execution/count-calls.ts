import type { Executor } from '../core/call.ts'

/** An executor that knows how many calls it runs, whichever way they came. */
export interface CountedExecutor extends Executor {
  readonly inFlight: number
}

/** Counts outside every stage, so that calls that wait for anything are counted too. */
export function countCalls(executor: Executor): CountedExecutor {
  let inFlight = 0
  const leave = () => {
    inFlight -= 1
  }
  return {
    execute(call) {
      inFlight += 1
      const outcome = executor.execute(call)
      // It never rejects.
      void outcome.then(leave)
      return outcome
    },
    get inFlight() {
      return inFlight
    },
  }
}
