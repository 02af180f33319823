import { promises as files, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { callTool, createAwsWorld, failure } from './fixtures/aws-world.fixture.ts'
import { calls, createDeafLookup, services } from './fixtures/calls.fixture.ts'
import { type FakeAws, startFakeAws } from './fixtures/fake-aws.fixture.ts'

// The SDK keeps the function that it finds when it is loaded, which it is not before the first call.
const read = vi.spyOn(files, 'readFile')
const folder = mkdtempSync(join(tmpdir(), 'weir-aws-'))
let written = 0
const { asked, lookup } = createDeafLookup()
const world = createAwsWorld({ lookup })
let canary: FakeAws
let fake: FakeAws
beforeAll(async () => {
  fake = await startFakeAws()
  canary = await startFakeAws()
})

function writeConfig(): string {
  // A new name each time: the SDK keeps what it has read by its path.
  const file = join(folder, `config-${written++}`)
  writeFileSync(
    file,
    `[default]
endpoint_url = ${canary.origin}
region = mars
sdk_ua_app_id = canary
use_dualstack_endpoint = true
max_attempts = 3
[profile known]
aws_access_key_id = AKIAFILE
aws_secret_access_key = from-the-file
`,
  )
  return file
}

beforeEach(() => {
  const file = writeConfig()
  read.mockClear()
  const variables = {
    AWS_ENDPOINT_URL: canary.origin,
    AWS_CONFIG_FILE: file,
    AWS_SHARED_CREDENTIALS_FILE: file,
    AWS_REGION: 'mars',
    AWS_ACCESS_KEY_ID: 'AKIAOTHER',
    AWS_SECRET_ACCESS_KEY: 'other',
    AWS_USE_FIPS_ENDPOINT: 'true',
    HTTPS_PROXY: canary.origin,
  }
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  asked.length = 0
})
afterEach(() => {
  vi.unstubAllEnvs()
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await world.close()
  await fake.close()
  await canary.close()
})

it.each(
  calls,
)('%s: what the environment and the shared files say is not followed or even read', async (tool, input) => {
  const away = await world.open(services)
  expect((await failure(callTool(away, tool, input))).code).toBe('UPSTREAM_UNREACHABLE')
  expect(asked.join()).toMatch(/^(?:reports\.)?\w+\.us-east-1\.amazonaws\.com$/)
  fake.answer = (_, response) => response.writeHead(500).end('{}')
  const before = fake.seen.length
  await failure(callTool(await world.open({ ...services, endpoint: fake.origin }), tool, input))
  const [request, ...others] = fake.seen.slice(before)
  expect(request?.headers.authorization).toContain('AKIACANARY')
  expect(request?.headers['user-agent']).not.toContain('canary')
  expect([others, canary.seen]).toEqual([[], []])
  expect(read.mock.calls.map(([path]) => path)).toEqual([])
})

it('a profile that the configuration names is read, and nothing else of the files', async () => {
  const connection = await world.open({
    ...services,
    credentials: { profile: 'known' },
    endpoint: fake.origin,
  })
  fake.answer = (_, response) => response.end('{"Items":[],"Count":0}')
  await callTool(connection, 'dynamodb_operations', { operation: 'scan', table_name: 'orders' })
  expect(fake.seen.at(-1)?.headers.authorization).toMatch(/AKIAFILE\/\d+\/us-east-1\//)
  expect(read).toHaveBeenCalled()
  expect(canary.seen).toEqual([])
})
