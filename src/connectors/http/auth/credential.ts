import type { StopSignal } from '../../../core/cancellation.ts'

/** A header that carries a credential; the name in lower case. */
export interface CredentialHeader {
  readonly name: string
  readonly value: string
}

/** What shows an API who asks. */
export interface Credential {
  /** The header's name; undefined where there is no credential. No call may set it. */
  readonly headerName: string | undefined
  /** The header for a request that begins now. A promise only where a token has to be obtained first. */
  header(stop: StopSignal): CredentialHeader | undefined | Promise<CredentialHeader | undefined>
  /** Called when an API answered 401 to `used`. True where there is another header to try. */
  renew(used: CredentialHeader, stop: StopSignal): Promise<boolean>
  /** Rejects where what issues the credential cannot be reached. No secret leaves for that. */
  check(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
