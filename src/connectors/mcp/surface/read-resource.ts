import { WeirError } from '../../../core/error.ts'
import type { InputRequired, Result } from '../../../core/outcome.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { RunContext } from '../../../core/tool.ts'
import { ask } from '../ask.ts'
import type { Client } from '../client.ts'
import { invalidParams, protocolError, upstreamCode } from '../upstream-error.ts'

/** What legacy servers say where there is no such resource; the modern era has no code for it alone. */
const resourceNotFound = -32002

/** Reads a resource of the upstream server. Throws RESOURCE_NOT_FOUND where the server says so, however it says it. */
export async function readResource(
  client: Client,
  uri: string,
  context: RunContext,
): Promise<Result | InputRequired> {
  try {
    return await ask(client, 'resources/read', { uri }, context, checkContents)
  } catch (error) {
    if (!isNotFound(error)) throw error
    throw new WeirError('RESOURCE_NOT_FOUND', `The MCP server has no resource ${JSON.stringify(uri)}.`, {
      hint: 'List the resources and templates for the URIs that there are.',
      cause: error,
      data: { uri },
    })
  }
}

function isNotFound(error: unknown): boolean {
  const code = upstreamCode(error)
  if (code === resourceNotFound) return true
  if (code !== invalidParams || !(error instanceof WeirError)) return false
  // A read has the URI alone, so what is wrong with its parameters is the URI, unless the server speaks of something else.
  const data = error.data?.['data']
  return (isObject(data) && typeof data['uri'] === 'string') || /not found/i.test(error.message)
}

/** For whom the answer may be kept was said to this hop; how long it stays fresh holds for all. */
function checkContents({ cacheScope: _, ...result }: Record<string, unknown>): Result {
  const { contents } = result
  if (Array.isArray(contents) && contents.every(isObject)) return result
  throw protocolError('The MCP server answered a read with "contents" that is not a list of contents.')
}
