import type { WeirError } from '../../../core/error.ts'
import { isObject } from '../../../core/parse-json.ts'

/** What an old server says when the user must visit a URL before the call can be made. */
export interface UrlElicitation {
  readonly code: typeof urlElicitationRequired
  readonly data: { readonly elicitations: readonly unknown[] }
}

const urlElicitationRequired = -32042

/** The upstream's own words behind this error, if they are these. Clients of the old era act on the code; the new era has none. */
export function readUrlElicitation({ code, data }: WeirError): UrlElicitation | undefined {
  if (code !== 'UPSTREAM_ERROR' || data?.['code'] !== urlElicitationRequired) return undefined
  const own = data['data']
  if (!isObject(own) || !Array.isArray(own['elicitations'])) return undefined
  const elicitations: readonly unknown[] = own['elicitations']
  return { code: urlElicitationRequired, data: { ...own, elicitations } }
}
