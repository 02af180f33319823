import { regionField } from '../../shared/aws/aws-access-config.ts'

/** Where SQS is. */
export interface SqsAddress {
  readonly region: string
  /** Instead of AWS's own. */
  readonly endpoint?: string
}

/** `sqs://<region>` is AWS; `sqs+https://<host>/<region>` is an endpoint of its own. Undefined for what is neither. */
export function parseSqsUrl(text: string): SqsAddress | undefined {
  const url = URL.parse(text)
  if (url === null || `${url.username}${url.password}${url.search}${url.hash}` !== '') return undefined
  const part = url.pathname.replace(/^\/|\/$/g, '')
  if (url.protocol === 'sqs:') {
    return part === '' && url.port === '' && isRegion(url.hostname) ? { region: url.hostname } : undefined
  }
  const region = part === '' ? 'us-east-1' : part
  const endpoint = `${url.protocol.replace('sqs+', '')}//${url.host}`
  return url.host !== '' && isRegion(region) ? { region, endpoint } : undefined
}

/** What is wrong with a URL of SQS; nothing of it is repeated. */
export function problemOfSqsUrl(text: string): string | undefined {
  return parseSqsUrl(text) === undefined
    ? 'must be sqs://<region>, or sqs+https://<host>/<region> for another endpoint than AWS’s, without credentials'
    : undefined
}

function isRegion(text: string): boolean {
  return regionField.safeParse(text).success
}
