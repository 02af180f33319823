import type { LoadedConfig } from '../config/config.ts'
import type { CredentialStore } from '../core/stores.ts'

/** Secrets that Weir keeps, opened for one command. */
export interface OpenedCredentials {
  /** Absent where this configuration keeps nothing. */
  readonly credentials?: CredentialStore
  /** Safe to call twice. */
  close(): Promise<void>
}

/** Opens what the gateway of this configuration keeps, beside it if it runs. */
export async function openCredentials(_loaded: LoadedConfig): Promise<OpenedCredentials> {
  return { close: async () => {} }
}
