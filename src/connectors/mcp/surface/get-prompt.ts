import { WeirError } from '../../../core/error.ts'
import type { InputRequired, Result } from '../../../core/outcome.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { RunContext } from '../../../core/tool.ts'
import { ask } from '../ask.ts'
import type { Client } from '../client.ts'
import { invalidParams, protocolError, upstreamCode } from '../upstream-error.ts'

/** The code says only that a parameter is wrong; these are the words for the name rather than an argument. */
const unknownName = /not found|unknown prompt|no such prompt|invalid prompt name/i

/** Gets a prompt of the upstream server. Throws PROMPT_NOT_FOUND where the server's words say so. */
export async function getPrompt(
  client: Client,
  name: string,
  input: Readonly<Record<string, string>>,
  context: RunContext,
): Promise<Result | InputRequired> {
  try {
    return await ask(client, 'prompts/get', { name, arguments: input }, context, checkMessages)
  } catch (error) {
    if (!isUnknown(error)) throw error
    throw new WeirError('PROMPT_NOT_FOUND', `The MCP server has no prompt ${JSON.stringify(name)}.`, {
      hint: 'List the prompts for the names that there are.',
      cause: error,
      data: { name },
    })
  }
}

function isUnknown(error: unknown): boolean {
  if (upstreamCode(error) !== invalidParams || !(error instanceof WeirError)) return false
  return unknownName.test(error.message) && !/argument/i.test(error.message)
}

function checkMessages(result: Record<string, unknown>): Result {
  const { messages } = result
  if (Array.isArray(messages) && messages.every(isObject)) return result
  throw protocolError('The MCP server answered with "messages" that is not a list of messages.')
}
