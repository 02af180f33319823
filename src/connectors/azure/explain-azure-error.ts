import type { RestError } from '@azure/storage-blob'
import { WeirError } from '../../core/error.ts'
import { createRefusal, cutText, judgeStatus, redactSecrets } from '../shared/cloud/create-refusal.ts'

const service = 'Azure Blob Storage'
const throttling: ReadonlySet<string> = new Set(['ServerBusy', 'OperationTimedOut', 'InternalError'])

/** What the SDK threw, as the caller may see it (D0-060). Network faults are egress's own errors and pass. */
export function explainAzureError(thrown: unknown, secrets: readonly string[]): unknown {
  if (thrown instanceof WeirError || !isRefusal(thrown)) return thrown
  const { statusCode: status, response } = thrown
  const isAnswer = thrown.code !== 'PARSE_ERROR'
  const errorCode = response?.headers.get('x-ms-error-code') ?? (isAnswer ? thrown.code : undefined)
  // Request id and time follow on lines of their own.
  const [said = ''] = thrown.message.split('\n')
  const text = isAnswer
    ? said.trim() || `HTTP status ${status}, and nothing more`
    : 'something that is no answer of Azure'
  return createRefusal(judgeStatus(status, throttling.has(errorCode ?? '')).code, {
    service,
    errorCode: nameCode(errorCode, status),
    text: redactSecrets(cutText(text), secrets),
    status,
    hint: judgeStatus(status, false).hint,
    requestId: response?.headers.get('x-ms-request-id'),
    cause: thrown,
  })
}

function isRefusal(thrown: unknown): thrown is RestError & { readonly statusCode: number } {
  return thrown instanceof Error && typeof (thrown as Partial<RestError>).statusCode === 'number'
}

function nameCode(code: string | undefined, status: number): string {
  return code !== undefined && /^[A-Za-z]\w{0,99}$/.test(code) ? code : `HTTP ${status}`
}
