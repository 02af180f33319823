import { WeirError } from '../../core/error.ts'
import { type LogLevel, logLevels } from '../../core/event.ts'
import { isObject } from '../../core/parse-json.ts'
import type { RequestId } from '../json-rpc.ts'
import {
  type Implementation,
  metaKeys,
  type RequestMeta,
  type Revision,
  stripProtocolMeta,
} from '../model.ts'
import { readCapabilities } from '../read-capabilities.ts'

const version = '2026-07-28'

/** Per server, its members are the same for every result, so they are made once. */
const resultMembers = new WeakMap<Implementation, string>()

/** The stateless revision: no handshake, no sessions, every request carries its sender's version and capabilities. */
export const revision20260728: Revision = {
  version,
  era: 'modern',
  batches: false,
  readMeta(params): RequestMeta {
    const meta = params['_meta']
    if (!isObject(meta)) throw missing('_meta')
    if (typeof meta[metaKeys.protocolVersion] !== 'string')
      throw missing(`_meta["${metaKeys.protocolVersion}"]`)
    const declared = meta[metaKeys.clientCapabilities]
    if (!isObject(declared)) throw missing(`_meta["${metaKeys.clientCapabilities}"]`)
    const { progressToken } = meta
    const logLevel = meta[metaKeys.logLevel]
    if (logLevel !== undefined && !isLogLevel(logLevel)) throw unknownLevel(logLevel)
    const forward = stripProtocolMeta(meta)
    return {
      clientCapabilities: readCapabilities(declared),
      ...(meta[metaKeys.clientInfo] === undefined ? {} : { clientInfo: meta[metaKeys.clientInfo] }),
      ...(progressToken === undefined ? {} : { progressToken: progressToken as RequestId }),
      ...(logLevel === undefined ? {} : { logLevel }),
      ...(forward === undefined ? {} : { forward }),
    }
  },
  resultMembers(server) {
    let members = resultMembers.get(server)
    if (members === undefined) {
      members = `,"resultType":"complete","_meta":${JSON.stringify({ [metaKeys.serverInfo]: server })}`
      resultMembers.set(server, members)
    }
    return members
  },
  cacheMembers: (ttlMs, scope) => `,"ttlMs":${ttlMs},"cacheScope":"${scope}"`,
  renderMeta: (meta, self) => ({
    ...meta.forward,
    [metaKeys.protocolVersion]: version,
    [metaKeys.clientInfo]: self,
    [metaKeys.clientCapabilities]: meta.clientCapabilities,
    ...(meta.progressToken === undefined ? {} : { progressToken: meta.progressToken }),
    ...(meta.logLevel === undefined ? {} : { [metaKeys.logLevel]: meta.logLevel }),
  }),
}

function isLogLevel(value: unknown): value is LogLevel {
  return logLevels.includes(value as LogLevel)
}

function unknownLevel(level: unknown): WeirError {
  return new WeirError('INVALID_PARAMS', `There is no log level ${JSON.stringify(level)}.`, {
    hint: `The levels are ${logLevels.join(', ')}.`,
  })
}

function missing(what: string): WeirError {
  return new WeirError('INVALID_PARAMS', `The request lacks params.${what}.`, {
    hint: `Revision ${version} needs protocol version and client capabilities in every request's _meta.`,
  })
}
