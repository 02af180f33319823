import { randomBytes } from 'node:crypto'

const boot = randomBytes(6).toString('base64url')
let count = 0

/** Unique in this process, and in a log that holds many: random once, then counted. */
export function nextCallId(): string {
  count += 1
  return `${boot}-${count.toString(36)}`
}
