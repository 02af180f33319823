import { WeirError } from '../../../core/error.ts'
import type { ErrorCode } from '../../../core/error-catalogue.ts'

const textCharsMax = 1_000

/** A provider's no, in its own words. */
export interface Refusal {
  /** As people say it: `S3`, `Azure Blob Storage`. */
  readonly service: string
  /** The provider's own code. */
  readonly errorCode: string
  /** What it says, without secrets. */
  readonly text: string
  readonly status: number
  readonly hint: string | undefined
  readonly requestId: string | undefined
  readonly cause: unknown
}

/** What is answered to a caller whose request reached a cloud and was refused there (D0-060). */
export function createRefusal(code: ErrorCode, refusal: Refusal): WeirError {
  const { service, errorCode, text, status, hint, requestId, cause } = refusal
  return new WeirError(code, `${service} answered ${errorCode}: ${text}`, {
    ...(hint === undefined ? {} : { hint }),
    data: {
      error: text,
      error_code: errorCode,
      status,
      ...(requestId === undefined ? {} : { request_id: requestId }),
      sent: true,
    },
    cause,
  })
}

/** Who can do something about an HTTP status that says no. `isThrottled`: the provider's own code says so. */
export function judgeStatus(status: number, isThrottled: boolean) {
  if (isThrottled || status === 408 || status === 429 || status >= 500) {
    return { code: 'CLOUD_BUSY', hint: undefined } as const
  }
  if (status === 401 || status === 403) {
    return {
      code: 'UPSTREAM_AUTH',
      hint: 'Give the connection valid credentials, and these the permission.',
    } as const
  }
  const isRedirect = status >= 300 && status < 400
  const hint = isRedirect ? 'Redirects are not followed; check the endpoint.' : undefined
  return { code: 'CLOUD_ERROR', hint } as const
}

/** A provider's words, at most a thousand characters of them. */
export function cutText(text: string): string {
  return text.length <= textCharsMax ? text : `${text.slice(0, textCharsMax - 1)}…`
}

/** Some answers repeat the request they refuse. */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((result, secret) => result.replaceAll(secret, '[redacted]'), text)
}
