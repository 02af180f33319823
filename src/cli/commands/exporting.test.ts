import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Place } from '../spawn-weir.fixture.ts'

const url = 'http://127.0.0.1:9123/mcp'
const config = { connections: {}, server: { port: 9123 } }
const stdio = (place: Place) => ({
  command: 'npx',
  args: ['weir', 'start', '--stdio', '--config', join(place.dir, 'weir.yaml')],
})
const blocks = [
  ['claude', () => ({ mcpServers: { weir: { type: 'http', url } } })],
  ['claude-desktop', (place: Place) => ({ mcpServers: { weir: stdio(place) } })],
  ['cursor', () => ({ mcpServers: { weir: { url } } })],
  ['vscode', () => ({ servers: { weir: { type: 'http', url } } })],
] as const

describe('export', () => {
  it.each(blocks)('prints what connects %s', async (client, block) => {
    await using place = new Place(config)
    const { code, stdout, stderr } = await place.run(['export', '--to', client])
    expect({ code, stderr, config: JSON.parse(stdout) }).toEqual({
      code: 0,
      stderr: '',
      config: block(place),
    })
  })

  it('takes the usual port where there is no configuration, and refuses one that changes', async () => {
    await using place = new Place()
    const { stdout } = await place.run(['export', '--to', 'cursor', '--json'])
    expect(JSON.parse(stdout)).toEqual({ mcpServers: { weir: { url: 'http://127.0.0.1:8000/mcp' } } })
    place.write('weir.yaml', 'server: { port: 0, host: "::1" }')
    expect(await place.run(['export', '--to', 'cursor'])).toMatchObject({ code: 1, stdout: '' })
    expect(await place.run(['export', '--to', 'claude-desktop'])).toMatchObject({ code: 0 })
    place.write('weir.yaml', 'server: { port: 9, host: "::1" }')
    expect((await place.run(['export', '--to', 'vscode'])).stdout).toContain('http://[::1]:9/mcp')
  })

  it('wants a client that it knows: exit 1', async () => {
    await using place = new Place(config)
    expect(await place.run(['export'])).toMatchObject({ code: 1, stdout: '' })
    const { code, stderr } = await place.run(['export', '--to', 'emacs'])
    expect(code).toBe(1)
    expect(stderr).toContain('claude, claude-desktop, cursor, vscode')
  })
})

const yaml = `connections:
  plain: { type: mcp, command: node, args: [a.js, "5$$"], timeout: 1000 }
  keyed: { type: mcp, command: node, env: { A_KEY: "\${A_KEY}" } }
  remote: { type: mcp, url: "https://x.example/mcp", headers: { Authorization: "Bearer \${TOKEN}" } }
  placed: { type: mcp, command: node, cwd: sub }
  defaulted: { type: mcp, command: node, args: ["\${A:-b}"] }
  filed: { type: mcp, command: node, args: ["\${file:a}"] }
  literal: { type: mcp, command: node, args: ["$\${A}"] }
  empty: { type: mcp }
  shop: { type: sql, databases: { main: { url: "sqlite:./a.db" } } }
mcpServers: { Old One: { command: old, env: { B: "\${env:B}" } }, off: { command: x, disabled: true } }
`
const always = ['filed', 'literal', 'empty', 'shop']

describe('export --servers', () => {
  const run = async (place: Place, client: string) => {
    place.write('weir.yaml', yaml)
    // The value is set, and must not appear.
    const env = { A_KEY: 'hunter2-is-a-secret', TOKEN: 'hunter2-is-a-secret' }
    const ended = await place.run(['export', '--to', client, '--servers'], { env })
    expect(ended).toMatchObject({ code: 0 })
    expect(`${ended.stdout}${ended.stderr}`).not.toContain('hunter2')
    const left = [...ended.stderr.matchAll(/^warning: (\S+) is not exported: .+\.$/gm)].map(
      ([, name]) => name,
    )
    return { ...JSON.parse(ended.stdout), left }
  }
  const plain = { command: 'node', args: ['a.js', '5$'] }

  it('D3-021: writes for Claude Code', async () => {
    await using place = new Place()
    expect(await run(place, 'claude')).toEqual({
      mcpServers: {
        plain,
        keyed: { command: 'node', env: { A_KEY: '${A_KEY}' } },
        remote: { type: 'http', url: 'https://x.example/mcp', headers: { Authorization: 'Bearer ${TOKEN}' } },
        defaulted: { command: 'node', args: ['${A:-b}'] },
        'old-one': { command: 'old', env: { B: '${B}' } },
      },
      left: ['placed', ...always],
    })
  })

  it('D3-021: writes for Claude Desktop', async () => {
    await using place = new Place()
    const left = ['keyed', 'remote', 'placed', 'defaulted', ...always, 'old-one']
    expect(await run(place, 'claude-desktop')).toEqual({ mcpServers: { plain }, left })
  })

  it('writes for Cursor', async () => {
    await using place = new Place()
    expect(await run(place, 'cursor')).toEqual({
      mcpServers: {
        plain,
        keyed: { command: 'node', env: { A_KEY: '${env:A_KEY}' } },
        remote: { url: 'https://x.example/mcp', headers: { Authorization: 'Bearer ${env:TOKEN}' } },
        'old-one': { command: 'old', env: { B: '${env:B}' } },
      },
      left: ['placed', 'defaulted', ...always],
    })
  })

  it('writes for VS Code, with a question for each variable', async () => {
    await using place = new Place()
    const ask = (id: string, description: string) => ({
      id,
      type: 'promptString',
      description,
      password: true,
    })
    const type = 'stdio'
    expect(await run(place, 'vscode')).toEqual({
      inputs: [ask('a-key', 'A_KEY'), ask('token', 'TOKEN'), ask('b', 'B')],
      servers: {
        plain: { type, ...plain },
        keyed: { type, command: 'node', env: { A_KEY: '${input:a-key}' } },
        remote: {
          type: 'http',
          url: 'https://x.example/mcp',
          headers: { Authorization: 'Bearer ${input:token}' },
        },
        placed: { type, command: 'node', cwd: join(place.dir, 'sub') },
        'old-one': { type, command: 'old', env: { B: '${input:b}' } },
      },
      left: ['defaulted', ...always],
    })
  })

  it.each(['claude', 'cursor', 'vscode'])('is taken back by import from %s', async (client) => {
    await using place = new Place()
    const connections = {
      a: { type: 'mcp', command: 'node', args: ['5$$', 'x'], env: { A_KEY: '${A_KEY}', PLAIN: 'p' } },
      b: { type: 'mcp', url: 'https://x.example/mcp', headers: { Authorization: 'Bearer ${TOKEN}' } },
    }
    place.write('weir.yaml', JSON.stringify({ connections }))
    const { stdout } = await place.run(['export', '--to', client, '--servers'])
    place.write('client.json', stdout)
    expect(JSON.parse((await place.run(['import', 'client.json', '--json'])).stdout)).toEqual({ connections })
  })

  it('wants a file that is YAML: exit 2', async () => {
    await using place = new Place()
    expect(await place.run(['export', '--to', 'claude', '--servers'])).toMatchObject({ code: 2, stdout: '' })
    place.write('weir.yaml', 'connections: [')
    expect(await place.run(['export', '--to', 'claude', '--servers'])).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('connect', () => {
  it('prints the command that Claude Code runs', async () => {
    await using place = new Place(config)
    const command = `claude mcp add --transport http weir ${url}`
    expect(await place.run(['connect', 'claude'])).toMatchObject({ code: 0, stdout: `${command}\n` })
    const { stdout, stderr } = await place.run(['connect', 'claude', '--print', '--json'])
    expect({ stderr, ...JSON.parse(stdout) }).toEqual({ stderr: '', client: 'claude', run: command })
  })

  it.each(
    blocks.slice(1),
  )('prints what to paste for %s, and says where, writing nothing', async (client, block) => {
    await using place = new Place(config)
    const { code, stdout, stderr } = await place.run(['connect', client])
    expect({ code, paste: JSON.parse(stdout) }).toEqual({ code: 0, paste: block(place) })
    const { file } = JSON.parse((await place.run(['connect', client, '--json'])).stdout)
    expect(stderr).toContain(`Put this into ${file}`)
    expect(() => readFileSync(file)).toThrow(/ENOENT/)
  })

  it('wants a client: exit 1', async () => {
    await using place = new Place(config)
    expect(await place.run(['connect'])).toMatchObject({ code: 1, stdout: '' })
    expect(await place.run(['connect', 'emacs'])).toMatchObject({ code: 1, stdout: '' })
  })
})
