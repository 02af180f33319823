import type { View } from '../../core/catalog.ts'
import { isObject } from '../../core/parse-json.ts'
import type { JsonRpcRequest } from '../../wire/json-rpc.ts'
import type { Capabilities, Implementation, Revision } from '../../wire/model.ts'
import { readCapabilities } from '../../wire/read-capabilities.ts'
import { negotiateLegacy } from '../../wire/revisions/index.ts'
import { serverCapabilities } from './methods/capabilities.ts'
import { renderInstructions } from './rendering/render-instructions.ts'

/** What a handshake settled. */
export interface Handshake {
  readonly revision: Revision
  readonly clientCapabilities: Capabilities
  /** The JSON text of the result. */
  readonly text: string
}

/** Answers `initialize`: the version asked for where it is an old one, else the newest old one. */
export function answerInitialize(
  { params }: JsonRpcRequest,
  server: Implementation,
  view: View,
  instructions: string,
): Handshake {
  const revision = negotiateLegacy(params['protocolVersion'])
  const { capabilities } = params
  return {
    revision,
    clientCapabilities: isObject(capabilities) ? readCapabilities(capabilities) : {},
    text: JSON.stringify({
      protocolVersion: revision.version,
      capabilities: serverCapabilities,
      serverInfo: server,
      instructions: renderInstructions(view, instructions),
    }),
  }
}
