import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { resolve } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Place } from '../spawn-weir.fixture.ts'

const program = resolve(import.meta.dirname, '../../connectors/mcp/fixtures/sdk-v1-stdio.fixture.ts')
const { execPath } = process
const servers: Pick<Server, 'close'>[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A port of this machine that nobody listens on. */
async function findClosedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

interface Told {
  readonly stage: string
  readonly state: string
  readonly message?: string
  readonly cure?: string
}

async function examine(config: object) {
  await using place = new Place({ connections: { it: { type: 'mcp', ...config } } })
  const { code, stdout } = await place.run(['doctor', '--json'])
  const [found] = JSON.parse(stdout).connections as readonly { stages: readonly Told[] }[]
  const of = (state: string) => found!.stages.filter((stage) => stage.state === state)
  return { code, ok: of('ok').map(({ stage }) => stage), failed: of('failed') }
}

describe('doctor', () => {
  it('D3-110: finds nothing wrong with a server and a database that answer: exit 0', async () => {
    await using place = new Place({
      connections: {
        real: { type: 'mcp', command: execPath, args: [program] },
        shop: { type: 'sql', databases: { main: { url: 'sqlite:./a.db', write: true } } },
      },
    })
    const { code, stdout } = await place.run(['doctor', '--json'])
    const { ok, connections } = JSON.parse(stdout)
    expect({ code, ok }).toEqual({ code: 0, ok: true })
    const states = connections.map(({ name, stages }: { name: string; stages: readonly Told[] }) => [
      name,
      ...stages.filter(({ state }) => state === 'ok').map(({ stage }) => stage),
    ])
    expect(states).toEqual([
      ['real', 'config', 'env', 'command', 'era', 'list', 'check'],
      ['shop', 'config', 'env', 'list', 'check'],
    ])
    const people = await place.run(['doctor', 'shop'])
    expect(people).toMatchObject({ code: 0, stderr: '' })
    expect(people.stdout).toMatch(/shop +check +ok +\d+ ms/)
    expect(people.stdout).not.toMatch(/real|skipped/)
  })

  it('D3-110: names the stage where a connection is stuck, and the cure: exit 4', async () => {
    const refused = await serve((_, response) => response.writeHead(401).end())
    const closed = await findClosedPort()
    const dying = `console.error('no licence found'); process.exit(3)`
    const allowPrivate = true
    const hung = ['-e', 'setInterval(() => {}, 1_000)']
    const cases = [
      [
        { command: execPath, args: hung, startTimeout: 500 },
        'era',
        /did not answer its opening within 500 ms/,
      ],
      [{ command: '/nowhere/at-all' }, 'command', /ENOENT/],
      [{ command: execPath, args: ['-e', dying] }, 'era', /code 3.*no licence found/],
      [{ command: 'x', cwd: 'missing' }, 'config', /working directory/],
      [{ url: 'https://nowhere.invalid/mcp' }, 'dns', /ENOTFOUND|EAI_AGAIN/],
      [{ url: `http://127.0.0.1:${closed}/mcp`, allowPrivate }, 'tcp', /ECONNREFUSED/],
      [{ url: `http://127.0.0.1:${closed}/mcp` }, 'tcp', /127\.0\.0\.1/],
      [{ url: `https://${refused}/mcp`, allowPrivate }, 'tls', /./],
      [{ url: `http://${refused}/mcp`, allowPrivate }, 'auth', /401/],
    ] as const
    const order = ['config', 'env', 'command', 'dns', 'tcp', 'tls', 'auth', 'era', 'list', 'check']
    for (const [config, stage, message] of cases) {
      const { code, ok, failed } = await examine(config)
      const told = {
        stage,
        state: 'failed',
        message: expect.stringMatching(message),
        cure: expect.any(String),
      }
      expect({ code, failed }, JSON.stringify(config)).toMatchObject({ code: 4, failed: [told] })
      expect(ok.every((passed) => order.indexOf(passed) < order.indexOf(stage))).toBe(true)
    }
  }, 60_000)

  it('tells people the cure on stderr', async () => {
    await using place = new Place({ connections: { it: { type: 'mcp', command: '/nowhere/at-all' } } })
    const { code, stdout, stderr } = await place.run(['doctor'])
    expect(code).toBe(4)
    expect(stdout).toMatch(/it +command +failed/)
    expect(stderr).toMatch(/^it, command: .*ENOENT.*\n {2}cure: Install it/m)
  })

  it.each([
    ['env', { command: 'x', env: { A: '${NOT_SET_ANYWHERE}' } }, /NOT_SET_ANYWHERE/],
    ['config', { comand: 'x' }, /comand/],
  ])('D3-110: says that a file is stuck in %s: exit 2', async (stage, config, message) => {
    const { code, failed } = await examine(config)
    expect({ code, failed }).toMatchObject({
      code: 2,
      failed: [{ stage, message: expect.stringMatching(message), cure: expect.any(String) }],
    })
  })

  it('S16: covers secrets in what a program said last', async () => {
    const secret = 'hunter2-is-a-secret'
    const script = 'console.error(process.env.A_TOKEN); process.exit(1)'
    const it = { type: 'mcp', command: execPath, args: ['-e', script], env: { A_TOKEN: secret } }
    await using place = new Place({ connections: { it } })
    for (const flags of [[], ['--json']]) {
      const { code, stdout, stderr } = await place.run(['doctor', ...flags])
      expect(code).toBe(4)
      expect(stdout).toContain('[redacted]')
      expect(`${stdout}${stderr}`).not.toContain(secret)
    }
  })

  it('knows the connections by name: exit 1', async () => {
    await using place = new Place({ connections: { shop: { type: 'mcp', command: 'x' } } })
    const { code, stderr } = await place.run(['doctor', 'shp'])
    expect(code).toBe(1)
    expect(stderr).toContain('Did you mean shop?')
  })
})
