import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { type Caller, everything } from '../../../core/caller.ts'

/** Whoever holds the operator's token: nobody who calls tools has this name. */
const operator: Caller = Object.freeze({ tenant: '', subject: 'operator', grants: everything })

/** Tells the operator by the token of the running Weir; undefined for everybody else. */
export function createOperatorCheck(
  readToken: (() => Promise<string>) | undefined,
): (request: FastifyRequest) => Promise<Caller | undefined> {
  return async ({ headers }) => {
    const [, given] = /^Bearer ([\w.~+/-]{1,4096}=*)$/i.exec(headers.authorization ?? '') ?? []
    if (given === undefined || readToken === undefined) return undefined
    return isSame(given, await readToken()) ? operator : undefined
  }
}

/** In the same time for every wrong token. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
