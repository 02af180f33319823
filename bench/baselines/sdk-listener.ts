import type { RequestListener } from 'node:http'
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, type McpServerFactory } from '@modelcontextprotocol/server'

/** The SDK v2 server on node:http, both eras, with the guards that its documentation puts in front of it. */
export function createSdkListener(factory: McpServerFactory): RequestListener {
  const handler = toNodeHandler(createMcpHandler(factory, { responseMode: 'json' }))
  // The package's own request type does not allow for exactOptionalPropertyTypes; the object is the right one.
  const handle = handler as unknown as RequestListener
  const isHostAllowed = localhostHostValidation()
  const isOriginAllowed = localhostOriginValidation()
  return (request, response) => {
    if (isHostAllowed(request, response) && isOriginAllowed(request, response)) handle(request, response)
  }
}
