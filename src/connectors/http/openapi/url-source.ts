import { createHash } from 'node:crypto'
import { WeirError } from '../../../core/error.ts'
import type { EgressClient, EgressResponse } from '../../../egress/egress.ts'
import { OpenapiDocument } from './document.ts'
import type { DocumentSource, ReadDocument } from './document-source.ts'
import type { OpenapiConfig } from './openapi-config.ts'
import { documentBytesMax, parseText } from './parse-document.ts'
import { walkRefs } from './walk-refs.ts'

const accept = 'application/json, application/yaml;q=0.9, */*;q=0.5'
const refusedMax = 1_000

/**
 * A document behind a URL, fetched through a client of its own: its own guard, and never the API's credential. Nothing it
 * refers to elsewhere is fetched.
 */
export function createUrlSource(config: OpenapiConfig, client: EgressClient): DocumentSource {
  let etag: string | undefined
  let digest: string | undefined
  return {
    async read(signal) {
      const response = await client.request(config.source, {
        headers: { accept, 'user-agent': 'weir', ...config.headers, ...(etag && { 'if-none-match': etag }) },
        signal,
        totalTimeoutMs: config.timeoutMs,
        responseBytesMax: documentBytesMax,
        redirect: 'same-origin',
      })
      if (response.status === 304 && digest !== undefined) return undefined
      refuseStatus(response)
      const now = createHash('sha256').update(response.body).digest('hex')
      if (now === digest) return undefined
      const read = await parse(response.body, signal)
      digest = now
      etag = [response.headers['etag']].flat()[0]
      return read
    },
    close: () => client.close(),
  }
}

function refuseStatus({ status, url }: EgressResponse): void {
  if (status === 200) return
  const { origin } = new URL(url)
  throw new WeirError('UPSTREAM_ERROR', `${origin} answered ${status}.`, {
    hint: 'Find out whether `source` is the document’s own address.',
    data: { origin, status, sent: true },
  })
}

async function parse(body: Buffer, signal: AbortSignal): Promise<ReadDocument> {
  const root = await parseText(body.toString(), signal)
  const refused = new Set<string>()
  walkRefs(root, ({ $ref }) => {
    if (!$ref.startsWith('#') && refused.size < refusedMax) refused.add($ref.slice(0, 200))
  })
  return { document: new OpenapiDocument(root), refused: [...refused] }
}
