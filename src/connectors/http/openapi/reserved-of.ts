import { isObject } from '../../../core/parse-json.ts'
import type { Api } from '../api.ts'
import { foldHeaderName } from '../header-rules.ts'
import type { OpenapiDocument } from './document.ts'
import type { ReservedParameters } from './read-parameters.ts'

/** What is sent with every request, and what is a credential by the document's own word: no call gives either. */
export function reservedOf(
  { config, credential }: Pick<Api, 'config' | 'credential'>,
  document: OpenapiDocument,
): ReservedParameters {
  const headers = Object.keys(config.headers)
  if (credential.headerName !== undefined) headers.push(credential.headerName)
  const query: string[] = []
  for (const { type, name, in: location } of listSchemes(document)) {
    if (type !== 'apiKey' || typeof name !== 'string') continue
    if (location === 'header') headers.push(name)
    if (location === 'query') query.push(name)
  }
  return { headers: new Set(headers.map(foldHeaderName)), query: new Set(query) }
}

function listSchemes({ root }: OpenapiDocument): readonly Record<string, unknown>[] {
  const { components } = root
  const schemes = isObject(components) ? components['securitySchemes'] : undefined
  return Object.values(isObject(schemes) ? schemes : {}).filter(isObject)
}
