import { WeirError } from '../../../core/error.ts'
import { isObject } from '../../../core/parse-json.ts'
import { createRefusal, cutText, redactSecrets } from '../cloud/create-refusal.ts'

/** What of an SDK's error is looked at. */
interface SdkError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  readonly $retryable?: { readonly throttling?: boolean }
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> }
}

/** What was tried, for the message, and what must not be in it. */
export interface AwsErrorContext {
  /** As people say it: `S3`, `DynamoDB`. */
  readonly service: string
  readonly region: string
  readonly secrets: readonly string[]
}

const throttling =
  /^(?:Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|ProvisionedThroughputExceeded|BandwidthLimitExceeded|SlowDown|PriorRequestNotComplete|EC2Throttled|KMSThrottl|KmsThrottled)/
/** The service did not get the whole request, or is still busy with an earlier one. */
const passing = new Set(['RequestTimeout', 'RequestTimeoutException', 'TransactionInProgressException'])
const badClock = new Set(['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'])
const expired = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidToken',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'TokenRefreshRequired',
])
const denied =
  /AccessDenied|AuthorizationError|NotAuthorized|Unauthorized|SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|MissingAuthenticationToken|OptInRequired|AllAccessDisabled|AccountProblem/

/** Whether AWS refused the credentials themselves, so that new ones may do. */
export function isCredentialRefusal(thrown: unknown): boolean {
  return thrown instanceof Error && expired.has(thrown.name)
}

/**
 * A provider's error as the caller sees it (D0-060): `error` and `error_code` in `data`, whoever can do something about
 * it by the code. Network faults are egress's own errors and pass.
 */
export function explainAwsError(thrown: unknown, context: AwsErrorContext): unknown {
  if (thrown instanceof WeirError || !(thrown instanceof Error)) return thrown
  const sdk = thrown as SdkError
  const status = sdk.$metadata?.httpStatusCode ?? sdk.$response?.statusCode
  if (status === undefined) return explainOwnError(thrown, context)
  const name = readName(sdk)
  const text = redactSecrets(readText(sdk, status), context.secrets)
  const { code, hint } = judge(name, sdk, status, context.region)
  return createRefusal(code, {
    service: context.service,
    errorCode: name,
    text,
    status,
    hint,
    requestId: sdk.$metadata?.requestId,
    cause: thrown,
  })
}

/** What the SDK itself finds, before it asks or after it was answered; anything else is no fault of the provider's, but ours. */
function explainOwnError(thrown: Error, { service, region }: AwsErrorContext): Error {
  if (thrown.name === 'EndpointError') {
    return new WeirError('INVALID_INPUT', `${service} has no address in ${region} for what was named.`, {
      hint: 'Check the name and the region.',
      data: { region, sent: false },
      cause: thrown,
    })
  }
  if (!/checksum/i.test(thrown.message)) return thrown
  return new WeirError('CLOUD_BUSY', `What ${service} answered does not match its own checksum.`, {
    hint: 'It broke on the way; ask again.',
    data: { sent: true },
    cause: thrown,
  })
}

/** Why there are no credentials. The SDK's own words stay in the log: they hold paths, and may quote what was read. */
export function explainCredentialFailure(thrown: unknown, whose: string): WeirError {
  const what = `The credentials ${whose} could not be obtained`
  if (thrown instanceof WeirError) {
    return new WeirError(thrown.code, `${what}: ${thrown.message}`, {
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      // Of the call itself nothing was sent.
      data: { ...thrown.data, sent: false },
      cause: thrown,
    })
  }
  const sdk = thrown as SdkError
  const status = sdk.$metadata?.httpStatusCode
  const errorCode = status === undefined ? {} : { error_code: readName(sdk), status }
  const isBusy = status !== undefined && (status >= 500 || status === 429 || throttling.test(sdk.name))
  const said = status === undefined ? '.' : `: STS answered ${readName(sdk)}.`
  return new WeirError(isBusy ? 'CLOUD_BUSY' : 'UPSTREAM_AUTH', `${what}${said}`, {
    hint: 'Check `credentials` of the connection; the log holds the cause.',
    data: { ...errorCode, sent: false },
    cause: thrown,
  })
}

function judge(name: string, sdk: SdkError, status: number, region: string) {
  if (badClock.has(name)) {
    return {
      code: 'UPSTREAM_AUTH',
      hint: 'Set this machine’s clock; until then the next call allows for the difference.',
    } as const
  }
  if (expired.has(name)) {
    return {
      code: 'UPSTREAM_AUTH',
      hint: 'Give the connection credentials that are valid; new ones are looked for with the next call.',
    } as const
  }
  if (denied.test(name) || status === 401 || status === 403) {
    return { code: 'UPSTREAM_AUTH', hint: 'Give the connection’s credentials the permission.' } as const
  }
  const isThrottled = throttling.test(name) || status === 429 || sdk.$retryable?.throttling === true
  if (isThrottled || passing.has(name) || status >= 500)
    return { code: 'CLOUD_BUSY', hint: undefined } as const
  return { code: 'CLOUD_ERROR', hint: hintOf(sdk, status, region) } as const
}

function hintOf({ $response }: SdkError, status: number, region: string): string | undefined {
  const right = $response?.headers?.['x-amz-bucket-region']
  if (right !== undefined && right !== region && /^[a-z0-9-]{1,32}$/.test(right)) {
    return `The bucket lies in ${right}; give that as \`region\`.`
  }
  return status >= 300 && status < 400 ? 'Redirects are not followed; check the region.' : undefined
}

/** The provider's code; what is not one (the answer was no answer of AWS) says so. */
function readName({ name, $metadata }: SdkError): string {
  const bare = name.replace(/^.*[#:]/, '')
  if (/^[A-Za-z][\w.]{0,99}$/.test(bare) && !/^(?:Error|SyntaxError|TypeError)$/.test(bare)) return bare
  return `HTTP ${$metadata?.httpStatusCode ?? 'status'}`
}

function readText(sdk: SdkError, status: number): string {
  if (sdk instanceof SyntaxError || !isObject(sdk.$metadata)) return 'something that is no answer of AWS'
  const text = sdk.message.trim()
  if (text === '' || text === 'UnknownError') return `HTTP status ${status}, and nothing more`
  return cutText(text)
}
