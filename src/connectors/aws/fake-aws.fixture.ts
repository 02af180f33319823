import type { ServerResponse } from 'node:http'
import { type SeenRequest, startCanary } from '../../egress/canary.fixture.ts'

/** A real HTTP server on loopback that answers as the test says and remembers what reached it. */
export interface FakeAws {
  readonly origin: string
  readonly seen: readonly SeenRequest[]
  answer: (request: SeenRequest, response: ServerResponse) => void
  close(): Promise<void>
}

/** Answers `{}` unless the test says otherwise. */
export async function startFakeAws(
  answer: FakeAws['answer'] = (_, response) => void response.end('{}'),
): Promise<FakeAws> {
  const canary = await startCanary((_, response) => fake.answer(canary.requests.at(-1)!, response))
  const fake: FakeAws = {
    origin: canary.origin,
    seen: canary.requests,
    answer,
    close: async () => await canary[Symbol.asyncDispose](),
  }
  return fake
}

type Function = (event: Record<string, unknown>) => unknown

/** As Lambda's Invoke answers, for functions written down here. */
export function answerInvoke(functions: Readonly<Record<string, Function>>): FakeAws['answer'] {
  return ({ url, headers, body }, response) => {
    const name = /^\/2015-03-31\/functions\/([^/]+)\/invocations/.exec(decodeURIComponent(url))?.[1] ?? ''
    const run = functions[name.split(':function:').pop()!.split(':')[0]!]
    response.setHeader('x-amzn-requestid', 'request-1')
    response.setHeader('content-type', 'application/json')
    if (run === undefined) {
      response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException' })
      response.end(JSON.stringify({ Message: `Function not found: ${name}`, Type: 'User' }))
    } else if (headers['x-amz-invocation-type'] === 'Event') {
      response.writeHead(202).end()
    } else {
      runFunction(run, body, response)
    }
  }
}

function runFunction(run: Function, body: string, response: ServerResponse): void {
  try {
    const answer = JSON.stringify(run(JSON.parse(body)) ?? null)
    response.writeHead(200, { 'x-amz-executed-version': '$LATEST' }).end(answer)
  } catch (thrown) {
    const { name, message, stack } = thrown as Error
    response.writeHead(200, { 'x-amz-function-error': 'Unhandled' })
    response.end(JSON.stringify({ errorMessage: message, errorType: name, stackTrace: stack?.split('\n') }))
  }
}

/** As Secrets Manager answers, two names a page. */
export function answerSecrets(secrets: Readonly<Record<string, string | Buffer>>): FakeAws['answer'] {
  return ({ headers, body }, response) => {
    const input = JSON.parse(body) as { SecretId?: string; NextToken?: string }
    response.setHeader('content-type', 'application/x-amz-json-1.1')
    if (headers['x-amz-target'] === 'secretsmanager.ListSecrets') {
      const from = Number(input.NextToken ?? 0)
      const names = Object.keys(secrets)
      const SecretList = names.slice(from, from + 2).map((Name) => ({ Name }))
      response.end(
        JSON.stringify({ SecretList, ...(from + 2 < names.length ? { NextToken: `${from + 2}` } : {}) }),
      )
      return
    }
    const value = secrets[input.SecretId ?? '']
    if (value === undefined) {
      response.writeHead(400)
      response.end(
        JSON.stringify({ __type: 'ResourceNotFoundException', message: 'There is no such secret.' }),
      )
    } else {
      const stored =
        typeof value === 'string' ? { SecretString: value } : { SecretBinary: value.toString('base64') }
      response.end(JSON.stringify({ Name: input.SecretId, VersionId: 'v1', ...stored }))
    }
  }
}
