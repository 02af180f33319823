import { isDeepStrictEqual } from 'node:util'

/** Throws what was found, where it is not what a promise says. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  demand(
    isDeepStrictEqual(actual, expected),
    `${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`,
  )
}

/** Throws the breach where a promise is not kept. */
export function demand(kept: boolean, breach: string): asserts kept {
  if (!kept) throw new Error(breach)
}
