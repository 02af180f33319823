import { z } from 'zod'
import { compileGlobs } from '../../core/glob.ts'
import type { Tool } from '../../core/tool.ts'
import { createAllowList } from '../shared/cloud/allow-list.ts'
import type { Abortable } from '../shared/cloud/object-store.ts'
import type { AwsClients } from './aws-clients.ts'
import type { AwsConfig } from './aws-config.ts'
import { createRegionField } from './tool-fields.ts'

const namesMax = 1_000
const pagesMax = 100

const output = z.strictObject({
  names: z.array(z.string()).optional().describe('Without `name`: the names of the secrets.'),
  truncated: z.boolean().optional().describe('Without `name`: true where there are more.'),
  continuation: z
    .string()
    .optional()
    .describe('Without `name`: give it with the next call to go on after these.'),
  name: z.string().optional().describe('The secret that was asked for.'),
  value: z.string().optional().describe('Its value, as text.'),
  value_base64: z.string().optional().describe('Its value as base64, where it was stored as bytes.'),
  version_id: z.string().optional().describe('Which version of it this is.'),
})

function createInput(region: string) {
  return z.strictObject({
    // A name and nothing else: an ARN is matched by its beginning, and could mean another secret.
    name: z
      .string()
      .regex(/^[\w/+=.@-]{1,512}$/)
      .optional()
      .describe('The secret whose value is wanted. Without it, the names are listed.'),
    prefix: z.string().min(1).max(128).optional().describe('Without `name`: only names that begin with it.'),
    continuation: z
      .string()
      .min(1)
      .max(4_096)
      .optional()
      .describe('Without `name`: where an earlier list said to go on.'),
    region: createRegionField(region),
  })
}

type Input = z.input<ReturnType<typeof createInput>>

/** The tool `secrets_get`: names for everybody who may call it, values only where the configuration names the secret. */
export function createSecretsGet(
  clients: AwsClients,
  { region: own }: AwsConfig,
  { names, allowValues }: NonNullable<AwsConfig['secrets']>,
): Tool {
  const allowed = createAllowList('secret', 'secrets.allowValues', allowValues)
  const isListed = compileGlobs(names)
  const values =
    allowValues.length === 0
      ? 'Values are not given out here.'
      : `Values are given of ${allowValues.join(', ')}.`
  const tool: Tool<Input> = {
    kind: 'tool',
    name: 'secrets_get',
    title: 'Secrets',
    description: `Lists the names of secrets in AWS Secrets Manager, or reads one. ${values}`,
    effect: 'read',
    input: createInput(own),
    output,
    async run({ name, region = own, ...list }, context) {
      if (name === undefined)
        return { structuredContent: await listNames(clients, region, list, isListed, context) }
      allowed(name)
      return { structuredContent: await readValue(clients, region, name, context) }
    },
  }
  return tool as Tool
}

async function readValue(clients: AwsClients, region: string, name: string, context: Abortable) {
  const secret = await clients.send('secrets', region, context, (client, options) =>
    client.getSecretValue({ SecretId: name }, options),
  )
  const { SecretString, SecretBinary, VersionId } = secret
  return {
    name,
    ...(SecretString === undefined ? {} : { value: SecretString }),
    ...(SecretBinary === undefined ? {} : { value_base64: Buffer.from(SecretBinary).toString('base64') }),
    ...(VersionId === undefined ? {} : { version_id: VersionId }),
  }
}

async function listNames(
  clients: AwsClients,
  region: string,
  { prefix, continuation }: Pick<Input, 'prefix' | 'continuation'>,
  isListed: (name: string) => boolean,
  context: Abortable,
) {
  const names: string[] = []
  let [next, pages] = [continuation, 0]
  do {
    const request = {
      MaxResults: 100,
      ...(prefix === undefined ? {} : { Filters: [{ Key: 'name' as const, Values: [prefix] }] }),
      ...(next === undefined ? {} : { NextToken: next }),
    }
    const page = await clients.send('secrets', region, context, (client, options) =>
      client.listSecrets(request, options),
    )
    names.push(
      ...(page.SecretList ?? []).flatMap(({ Name }) => (Name !== undefined && isListed(Name) ? [Name] : [])),
    )
    next = page.NextToken
    pages += 1
  } while (next !== undefined && names.length <= namesMax - 100 && pages < pagesMax)
  return { names, truncated: next !== undefined, ...(next === undefined ? {} : { continuation: next }) }
}
