import { readFile } from 'node:fs/promises'
import { WeirError } from '../../../core/error.ts'
import { isObject } from '../../../core/parse-json.ts'
import type { Egress, EgressClient, EgressRequest } from '../../../egress/egress.ts'
import type { AwsCredentials, CredentialSource } from './aws-credentials.ts'

const limits = { totalTimeoutMs: 5_000, responseBytesMax: 64 * 1024 } satisfies EgressRequest
const rolePath = '/latest/meta-data/iam/security-credentials/'

/** The variables by which a container is told where its credentials are. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The machine's role from EC2's metadata service, version 2 alone. The SDK's own reader has sockets of its own; this one
 * goes through egress, with a guard that knows this one host and nothing else.
 */
export function readInstanceCredentials(egress: Egress, endpoint: string): CredentialSource {
  const base = endpoint.replace(/\/+$/, '')
  return () =>
    withClient(egress, base, async (client) => {
      const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' }
      const token = await ask(client, `${base}/latest/api/token`, { method: 'PUT', headers: ttl })
      const headers = { 'x-aws-ec2-metadata-token': token }
      const [role = ''] = (await ask(client, `${base}${rolePath}`, { headers })).split('\n')
      const url = `${base}${rolePath}${encodeURIComponent(role.trim())}`
      return parseCredentials(await ask(client, url, { headers }))
    })
}

/** The container's, as ECS and EKS Pod Identity serve them; undefined where the environment names none. */
export function readContainerCredentials(egress: Egress, env: Environment): CredentialSource | undefined {
  const relative = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']
  const url = relative ? `http://169.254.170.2${relative}` : env['AWS_CONTAINER_CREDENTIALS_FULL_URI']
  if (url === undefined || url === '') return undefined
  return () =>
    withClient(egress, url, async (client) => {
      const token = await readToken(env)
      return parseCredentials(await ask(client, url, { headers: token ? { authorization: token } : {} }))
    })
}

async function readToken(env: Environment): Promise<string | undefined> {
  const file = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE']
  if (file === undefined || file === '') return env['AWS_CONTAINER_AUTHORIZATION_TOKEN']
  return (await readFile(file, 'utf8')).trim()
}

/** Asked a few times a day, so nothing is kept open in between. */
async function withClient(
  egress: Egress,
  url: string,
  use: (client: EgressClient) => Promise<AwsCredentials>,
): Promise<AwsCredentials> {
  const hostname = URL.parse(url)?.hostname.replace(/^\[|\]$/g, '')
  const client = egress.client({
    allowPrivate: hostname === undefined ? [] : [hostname],
    allowPrivateKey: 'credentials',
  })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

async function ask(client: EgressClient, url: string, request: EgressRequest): Promise<string> {
  const { status, body } = await client.request(url, { ...request, ...limits })
  if (status === 200) return body.toString()
  throw new WeirError('UPSTREAM_AUTH', `The source of the credentials answered with HTTP status ${status}.`, {
    hint: 'Check that the machine or container has a role.',
    data: { status, sent: false },
  })
}

function parseCredentials(text: string): AwsCredentials {
  const parsed = parseJson(text)
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token, Expiration } = parsed
  if (typeof accessKeyId === 'string' && typeof secretAccessKey === 'string') {
    return {
      accessKeyId,
      secretAccessKey,
      ...(typeof Token === 'string' ? { sessionToken: Token } : {}),
      ...(typeof Expiration === 'string' ? { expiration: new Date(Expiration) } : {}),
    }
  }
  throw new WeirError('UPSTREAM_AUTH', 'What the source of the credentials answered holds none.', {
    hint: 'Check that the machine or container has a role.',
    data: { sent: false },
  })
}

// The text never goes into an error: it may well be the credentials.
function parseJson(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text)
    return isObject(parsed) ? parsed : {}
  } catch {
    return {}
  }
}
