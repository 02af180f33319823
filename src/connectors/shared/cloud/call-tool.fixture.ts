import { expect } from 'vitest'
import type { Connection } from '../../../core/connector.ts'
import type { WeirError } from '../../../core/error.ts'
import { toJsonSchema } from '../../../core/schema.ts'
import { isTool, type Tool } from '../../../core/tool.ts'

/** The one tool of this name. */
export function findTool(connection: Connection, name: string): Tool {
  const tool = connection
    .targets()
    .filter(isTool)
    .find((target) => target.name === name)
  if (tool === undefined) throw new Error(`no tool ${name}`)
  return tool
}

/** Runs a tool as the executor would: arguments checked and passed on as they are, the answer checked after. */
export async function callTool(
  connection: Connection,
  name: string,
  input: Record<string, unknown>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Record<string, unknown>> {
  const tool = findTool(connection, name)
  parse(tool.input, input)
  const result = await tool.run(input, {
    signal,
    stop: signal,
    deadlineMs: Number.POSITIVE_INFINITY,
    caller: { subject: 'local:test', tenant: 'local' },
    wantsProgress: false,
    emit() {},
  })
  const { structuredContent } = result as { structuredContent: Record<string, unknown> }
  parse(tool.output, structuredContent)
  return structuredContent
}

const parse = (schema: unknown, value: unknown) => (schema as { parse(value: unknown): unknown }).parse(value)

/** The JSON Schema that clients see of a tool's arguments. */
export const schemaOf = (connection: Connection, name: string) =>
  toJsonSchema(findTool(connection, name).input)

/** The error of a call that must fail. */
export const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('The call went through.'),
    (thrown: WeirError) => thrown,
  )
