import type { Client } from '../client.ts'

/** How what one connection lists is run. */
export interface TargetSettings {
  readonly client: Client
  readonly timeoutMs: number
}
