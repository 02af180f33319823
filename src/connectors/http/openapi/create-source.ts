import type { Egress } from '../../../egress/egress.ts'
import type { DocumentSource } from './document-source.ts'
import { createFileSource } from './file-source.ts'
import type { OpenapiConfig } from './openapi-config.ts'
import { createUrlSource } from './url-source.ts'

/** What documents are reached with. */
export interface SourceParts {
  /** The connection's name, for metrics. */
  readonly connection: string
  readonly egress: Egress
  readonly baseDir: string
}

/** Where the document of an API comes from. It is not read yet. */
export function createSource(
  apiName: string,
  config: OpenapiConfig,
  { connection, egress, baseDir }: SourceParts,
): DocumentSource {
  const { source, allowPrivate } = config
  if (!isUrl(source)) return createFileSource(source, baseDir)
  const allowPrivateKey = `apis.${apiName}.openapi.allowPrivate`
  const client = egress.client({ name: connection, allowPrivate, allowPrivateKey, connectionsMax: 2 })
  return createUrlSource(config, client)
}

/** Whether a document is fetched, and so may be away for a while. */
export function isUrl(source: string): boolean {
  return /^https?:/i.test(source)
}
