import type { InvokeCommandOutput } from '@aws-sdk/client-lambda'
import { z } from 'zod'
import { WeirError } from '../../core/error.ts'
import { isObject } from '../../core/parse-json.ts'
import type { Tool } from '../../core/tool.ts'
import { createAllowList } from '../shared/cloud/allow-list.ts'
import type { AwsClients } from './aws-clients.ts'
import type { AwsConfig } from './aws-config.ts'
import { createRegionField } from './tool-fields.ts'

const textCharsMax = 1_000

const output = z.strictObject({
  status_code: z.int().describe('200 for an answer, 202 for an event that was taken.'),
  payload: z.unknown().optional().describe('What the function answered: JSON, or text where it is none.'),
  executed_version: z.string().optional().describe('Which version of the function ran.'),
})

/** The tool `lambda_invoke` (D0-058, B-09). What a function does is its own affair, so it counts as a write. */
export function createLambdaInvoke(
  clients: AwsClients,
  { region: own }: AwsConfig,
  { functions, timeoutMs }: NonNullable<AwsConfig['lambda']>,
): Tool {
  const allowed = createAllowList('function', 'lambda.functions', functions)
  const input = z.strictObject({
    function_name: z
      .string()
      .regex(/^[A-Za-z0-9:_$.-]{1,256}$/)
      .describe('Name or ARN of the function; `name:qualifier` for a version or alias.'),
    payload: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('The event, any JSON object. Default: {}.'),
    invocation_type: z
      .enum(['RequestResponse', 'Event'])
      .default('RequestResponse')
      .describe('Event: only hand it over, and wait for no answer.'),
    region: createRegionField(own),
  })
  const tool: Tool<z.input<typeof input>> = {
    kind: 'tool',
    name: 'lambda_invoke',
    title: 'Invoke a function',
    description:
      'Invokes an AWS Lambda function. A function that fails makes the call fail, with the function’s own error.',
    effect: 'write',
    input,
    output,
    ...(timeoutMs > 30_000 ? { timeoutMs } : {}),
    async run(
      { function_name: name, payload = {}, invocation_type: type = 'RequestResponse', region = own },
      context,
    ) {
      allowed(name, nameWithoutQualifier(name))
      // The tail of the log stays there: it may hold anything.
      const request = { FunctionName: name, InvocationType: type, LogType: 'None' as const }
      const answer = await clients.send('lambda', region, context, (client, options) =>
        client.invoke({ ...request, Payload: Buffer.from(JSON.stringify(payload)) }, options),
      )
      return { structuredContent: renderAnswer(name, answer) }
    },
  }
  return tool as Tool
}

function nameWithoutQualifier(name: string): string {
  return /^[^:]+:[^:]+$/.test(name) ? name.slice(0, name.indexOf(':')) : name
}

function renderAnswer(name: string, answer: InvokeCommandOutput) {
  const { StatusCode = 200, Payload, ExecutedVersion, FunctionError } = answer
  // It is null, whatever its type says, where the answer has no body.
  const text = Payload?.transformToString() ?? ''
  const payload = text === '' ? undefined : parse(text)
  if (FunctionError !== undefined) throw functionError(name, FunctionError, payload)
  return {
    status_code: StatusCode,
    ...(payload === undefined ? {} : { payload }),
    ...(ExecutedVersion === undefined ? {} : { executed_version: ExecutedVersion }),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The function's own message and type; its stack stays behind. */
function functionError(name: string, kind: string, payload: unknown): WeirError {
  const { errorMessage, errorType } = isObject(payload) ? payload : {}
  const error = String(errorMessage ?? 'it says no more').slice(0, textCharsMax)
  const errorCode = String(errorType ?? kind).slice(0, textCharsMax)
  return new WeirError('CLOUD_ERROR', `The function ${name} failed with ${errorCode}: ${error}`, {
    hint: 'Check the payload against what the function takes; its log has the details.',
    data: { error, error_code: errorCode, function_error: kind, status: 200, sent: true },
  })
}
