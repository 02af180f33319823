import type { RequestId } from '../json-rpc.ts'
import { type Capabilities, type RequestMeta, type Revision, stripProtocolMeta } from '../model.ts'

const none: Capabilities = Object.freeze({})
const bare: RequestMeta = Object.freeze({ clientCapabilities: none })

/**
 * A revision of the session era. On the wire they differ in batches alone, as far as a gateway is concerned;
 * what is newer than a client's revision is a field it does not know and passes over.
 */
export function createLegacyRevision(version: string, batches: boolean): Revision {
  return {
    version,
    era: 'legacy',
    batches,
    readMeta(params) {
      const meta = params['_meta'] as { progressToken?: RequestId } | undefined
      if (typeof meta !== 'object' || meta === null) return bare
      const forward = stripProtocolMeta(meta)
      return {
        clientCapabilities: none,
        ...(meta.progressToken === undefined ? {} : { progressToken: meta.progressToken }),
        ...(forward === undefined ? {} : { forward }),
      }
    },
    resultMembers: () => '',
    cacheMembers: () => '',
    renderMeta(meta) {
      if (meta.forward === undefined && meta.progressToken === undefined) return undefined
      return {
        ...meta.forward,
        ...(meta.progressToken === undefined ? {} : { progressToken: meta.progressToken }),
      }
    },
  }
}
