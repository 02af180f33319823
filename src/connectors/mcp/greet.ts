import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import type { JsonRpcError, JsonRpcResponse } from '../../wire/json-rpc.ts'
import type { Capabilities, Revision } from '../../wire/model.ts'
import { findRevision, newestModern, supportedVersions } from '../../wire/revisions/index.ts'
import { pause } from './pause.ts'
import { modernErrorCodes, parseUpstreamError, protocolError } from './upstream-error.ts'

/** What the first exchange with a server settles. */
export interface Greeting {
  readonly revision: Revision
  readonly capabilities: Capabilities
}

/** Modern servers take every request by itself; legacy ones want a handshake first. */
export type Era = 'modern' | 'legacy'

/** How the first words reach the server. */
export interface Opening {
  /** Sends `server/discover` in the newest modern revision. */
  discover(signal: AbortSignal): Promise<JsonRpcResponse>
  /** Sends `initialize`. */
  initialize(signal: AbortSignal): Promise<JsonRpcResponse>
  /** How long a server may stay silent on `server/discover` before `initialize` is tried too, in milliseconds. */
  readonly hesitationMs: number
}

/**
 * Finds out which era a server speaks, and greets it so. A server that answers `server/discover`, or refuses it with an
 * error of the modern era, is modern; any other refusal means legacy. Some legacy servers never answer what they do not
 * know: after a while they are sent `initialize` too.
 */
export async function greet(opening: Opening, era: Era | 'auto', signal: AbortSignal): Promise<Greeting> {
  if (era === 'legacy') return readInitialized(await opening.initialize(signal))
  const probe = new AbortController()
  const probing = AbortSignal.any([signal, probe.signal])
  const discovered = discover(opening, probing)
  try {
    if (era === 'modern') return (await discovered) ?? refuseLegacy()
    const verdict = discovered.catch(forgive)
    const first = await Promise.race([verdict, hesitate(opening.hesitationMs, probing)])
    if (first !== 'silent' && first !== undefined) return first
    if (first === undefined) return readInitialized(await opening.initialize(signal))
    return await initializeSilent(opening, verdict, signal)
  } finally {
    probe.abort(new WeirError('CANCELLED', 'The era of the MCP server is known.'))
  }
}

/**
 * Both questions are out now. A server of both eras may have settled on the legacy one by being initialized, so that
 * answer counts first; a modern server refuses it, and then its answer to the other question is still to come.
 */
async function initializeSilent(
  opening: Opening,
  verdict: Promise<Greeting | undefined>,
  signal: AbortSignal,
): Promise<Greeting> {
  try {
    return readInitialized(await opening.initialize(signal))
  } catch (error) {
    const greeting = await verdict
    if (greeting === undefined) throw error
    return greeting
  }
}

async function hesitate(delayMs: number, signal: AbortSignal): Promise<'silent'> {
  await pause(delayMs, signal)
  return 'silent'
}

/** A server that refuses our version and names it among those it speaks is asked again, once. */
async function discover(opening: Opening, signal: AbortSignal): Promise<Greeting | undefined> {
  const first = await opening.discover(signal)
  const isOurs = 'error' in first && namedVersions(first.error)?.includes(newestModern.version) === true
  return readDiscovered(isOurs ? await opening.discover(signal) : first)
}

/** What a server says it speaks when it refuses a version; undefined where it refuses for another reason. */
function namedVersions({ code, data }: JsonRpcError): readonly unknown[] | undefined {
  if (code !== modernErrorCodes.unsupportedVersion) return undefined
  const supported = isObject(data) ? data['supported'] : undefined
  return Array.isArray(supported) ? supported : []
}

/** Undefined: a legacy server. Throws where the server is modern and yet of no use to us. */
function readDiscovered(response: JsonRpcResponse): Greeting | undefined {
  if ('error' in response) return readRefusal(response.error)
  const { supportedVersions: supported, capabilities } = response.result
  if (Array.isArray(supported) && !supported.includes(newestModern.version)) return readSupported(supported)
  return { revision: newestModern, capabilities: isObject(capabilities) ? capabilities : {} }
}

function readRefusal(error: JsonRpcError): Greeting | undefined {
  const supported = namedVersions(error)
  if (supported !== undefined) return readSupported(supported)
  const isModern =
    error.code === modernErrorCodes.headerMismatch || error.code === modernErrorCodes.missingCapability
  if (isModern) throw parseUpstreamError(error)
  return undefined
}

/** A server of both eras that lacks our modern revision is spoken to in a legacy one. */
function readSupported(supported: readonly unknown[]): undefined {
  const isCommon = (version: unknown) => typeof version === 'string' && findRevision(version) !== undefined
  if (supported.some(isCommon)) return undefined
  const theirs = JSON.stringify(supported.slice(0, 10))
  const message = `The MCP server speaks ${theirs}; Weir speaks ${supportedVersions.join(', ')}.`
  throw new WeirError('UPSTREAM_PROTOCOL', message, {
    hint: 'Update whichever of the two is older.',
    data: { supported: supported.slice(0, 10) },
  })
}

function readInitialized(response: JsonRpcResponse): Greeting {
  if ('error' in response) throw parseUpstreamError(response.error)
  const { protocolVersion, capabilities } = response.result
  const revision = typeof protocolVersion === 'string' ? findRevision(protocolVersion) : undefined
  if (revision?.era !== 'legacy') {
    throw protocolError(
      `The MCP server opened with protocol version ${JSON.stringify(protocolVersion ?? null)}.`,
    )
  }
  return { revision, capabilities: isObject(capabilities) ? capabilities : {} }
}

/** What a legacy server may do to a request it does not know. A server that is gone, or wants a credential, is no evidence. */
function forgive(error: unknown): undefined {
  const isRefusal =
    error instanceof WeirError && (error.code === 'UPSTREAM_ERROR' || error.code === 'UPSTREAM_PROTOCOL')
  if (isRefusal && (error.data === undefined || 'status' in error.data)) return undefined
  throw error
}

function refuseLegacy(): never {
  throw new WeirError(
    'UPSTREAM_PROTOCOL',
    `The MCP server does not speak revision ${newestModern.version}.`,
    {
      hint: 'Set `era` to `auto` or `legacy`.',
    },
  )
}
