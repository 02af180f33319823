import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Caller } from '../../../core/caller.ts'

/** How long a delay may be at all; each kind of broker has a limit of its own below that: 365 days in seconds. */
const delaySecondsMax = 31_536_000

/** The most bytes of messages one call answers with: more would hold up every other call while it is parsed. */
export const answerBytesMax = 4 * 1024 * 1024

/** The queue's name, as the broker has it. */
export const queueNameField = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/)
  .describe('The queue’s name: 1 to 200 printable ASCII characters without spaces.')

/** The broker's name; an unknown one is an error, never another broker (B-23). */
export const connectionField = z.string().describe('Which broker, by its configured name.')

/** What queue_receive gave. */
export const leaseField = z
  .string()
  .min(1)
  .max(1024)
  .describe('The message’s `lease`, as queue_receive gave it.')

/** Seconds, as the documents have it (D0-073). */
export const delayField = z.number().min(0).max(delaySecondsMax).default(0)

/** Milliseconds of a delay in seconds. */
export function toDelayMs(delaySeconds: number): number {
  return Math.round(delaySeconds * 1000)
}

/** Whose a lease is: tenant and subject, as one opaque word that no caller can make for another (S5). */
export function renderOwner({ tenant, subject }: Caller): string {
  return createHash('sha256')
    .update(JSON.stringify([tenant, subject]))
    .digest('hex')
}
