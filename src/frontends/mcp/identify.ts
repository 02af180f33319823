import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import { checkStandardHeaders, type Headers, headerNames } from '../../wire/headers.ts'
import type { Params } from '../../wire/json-rpc.ts'
import { metaKeys, type Revision } from '../../wire/model.ts'
import { findRevision, headerlessLegacy, supportedVersions } from '../../wire/revisions/index.ts'

/** The version that a message of the modern era says it is in; undefined where it says none. */
export function versionInBody(params: Params): unknown {
  const meta = params['_meta']
  return isObject(meta) ? meta[metaKeys.protocolVersion] : undefined
}

/**
 * Which revision an HTTP message speaks. The body decides and the header must agree (S8): a modern message names its
 * version in both, a legacy one in the header alone or nowhere. Throws HEADER_MISMATCH or UNSUPPORTED_VERSION.
 */
export function identifyRevision(
  headers: Headers,
  method: string,
  params: Params,
  isRequest: boolean,
): Revision {
  const header = headers[headerNames.protocolVersion]
  const body = versionInBody(params)
  if (body !== undefined && header !== body) {
    throw new WeirError(
      'HEADER_MISMATCH',
      `The header MCP-Protocol-Version says ${JSON.stringify(header ?? null)}; the body says ${JSON.stringify(body)}.`,
      { hint: 'Both must name the same version.' },
    )
  }
  if (header === undefined) return headerlessLegacy
  const revision = typeof header === 'string' ? findRevision(header) : undefined
  if (revision === undefined) throw unsupportedVersion(header)
  // The revision asks nothing of a notification's headers.
  if (revision.era === 'modern' && isRequest) checkStandardHeaders(headers, method, params)
  return revision
}

/** Names what is spoken here, so that the client can choose. */
export function unsupportedVersion(requested: unknown): WeirError {
  return new WeirError('UNSUPPORTED_VERSION', `Weir does not speak ${JSON.stringify(requested)}.`, {
    hint: `It speaks ${supportedVersions.join(', ')}.`,
    data: { supported: supportedVersions, requested },
  })
}
