import { WeirError } from '../../../core/error.ts'

/** Throws INVALID_INPUT unless a statement got one value a placeholder. */
export function checkParameterCount(needed: number, given: number): void {
  if (needed === given) return
  const were = given === 1 ? '1 was given' : `${given} were given`
  throw new WeirError('INVALID_INPUT', `The query needs ${needed} parameters, and ${were}.`, {
    hint: 'Give one value for each placeholder, in the order of their numbers.',
  })
}

/** Throws INVALID_INPUT for a number that JSON has rounded already. */
export function checkExactNumber(value: number, position: number): void {
  if (!Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) >= 2 ** 63) return
  throw new WeirError(
    'INVALID_INPUT',
    `Parameter ${position}, ${value}, is too large to be exact as a JSON number.`,
    { hint: 'Pass integers beyond 2^53 as decimal strings.' },
  )
}

/** The bytes that `{"$bytes": base64}` stands for; undefined for what is no base64. */
export function parseBase64(text: unknown): Buffer | undefined {
  if (typeof text !== 'string' || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    return undefined
  return Buffer.from(text, 'base64')
}

/** A value of a form that no parameter has. */
export function notAParameter(position: number): WeirError {
  return new WeirError('INVALID_INPUT', `Parameter ${position} is not a value that SQL has.`, {
    hint: 'Pass a string, a number, a boolean, null, or bytes as {"$bytes": "<base64>"}.',
  })
}

/** Throws INVALID_INPUT for a text at whose NUL a server would stop reading. */
export function checkNoNul(query: string): void {
  if (!query.includes('\0')) return
  throw new WeirError(
    'INVALID_INPUT',
    'The query holds a NUL character, where a server would stop reading.',
    {
      hint: 'Remove the NUL character.',
    },
  )
}
