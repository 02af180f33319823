import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { Place } from '../spawn-weir.fixture.ts'

const server = resolve(import.meta.dirname, '../../connectors/mcp/fixtures/sdk-v1-stdio.fixture.ts')
const real = { command: process.execPath, args: [server] }
const json = (value: unknown) => JSON.stringify(value, undefined, 2)

/** A file below the place, with the folders it needs. */
function put(place: Place, path: string, text: string): void {
  mkdirSync(join(place.dir, path, '..'), { recursive: true })
  place.write(path, text)
}
const read = (place: Place, path = 'weir.yaml') => readFileSync(join(place.dir, path), 'utf8')

describe('import', () => {
  it('D3-010, D3-020: takes a server from file to tools: import, validate, tools', {
    timeout: 60_000,
  }, async () => {
    await using place = new Place()
    put(place, '.mcp.json', json({ mcpServers: { 'Real One': real } }))
    const imported = await place.run(['import', '--write'])
    expect(imported).toMatchObject({ code: 0, stdout: '' })
    expect(imported.stderr).toContain('Added real-one to weir.yaml')
    expect(await place.run(['validate'])).toMatchObject({ code: 0, stderr: '' })
    const { code, stdout } = await place.run(['tools', '--json', '--port', '0'])
    const { tools, connections } = JSON.parse(stdout)
    expect({ code, connections }).toMatchObject({ code: 0, connections: [{ name: 'real-one', state: 'up' }] })
    expect(tools.length).toBeGreaterThan(0)
  })

  it.each([
    ['claude', '.mcp.json', 'mcpServers'],
    ['claude', '.claude.json', 'mcpServers'],
    ['claude-desktop', '.config/Claude/claude_desktop_config.json', 'mcpServers'],
    ['cursor', '.cursor/mcp.json', 'mcpServers'],
    ['vscode', '.vscode/mcp.json', 'servers'],
  ])('finds what %s keeps in %s', async (client, path, block) => {
    if (client === 'claude-desktop' && process.platform !== 'linux') return
    await using place = new Place()
    put(place, path, json({ [block]: { a: { command: 'x' } } }))
    for (const args of [['import'], ['import', '--from', client], ['import', path]]) {
      const { code, stdout } = await place.run([...args, '--json'])
      expect({ code, ...JSON.parse(stdout) }).toEqual({
        code: 0,
        connections: { a: { type: 'mcp', command: 'x' } },
      })
    }
  })

  it('reads what Claude Code keeps for this project, before what it keeps for all', async () => {
    await using place = new Place()
    const local = { mcpServers: { a: { command: 'local' } } }
    const user = { mcpServers: { a: { command: 'user' }, b: { command: 'user' } } }
    put(place, '.claude.json', json({ ...user, projects: { [place.dir]: local, '/elsewhere': user } }))
    const { stdout, stderr } = await place.run(['import'])
    expect(parse(stdout)).toMatchObject({ connections: { a: { command: 'local' }, b: { command: 'user' } } })
    expect(stderr).toContain('a is there twice')
  })

  it('reads a file of any shape up to its bound, and comments up to a smaller one', async () => {
    await using place = new Place()
    const history = { history: 'x'.repeat(12 * 1024 * 1024), mcpServers: { a: { command: 'x' } } }
    place.write('.claude.json', json(history))
    expect(await place.run(['import', '--json'])).toMatchObject({ code: 0 })
    place.write('.claude.json', `// one\n${json(history)}`)
    expect(await place.run(['import'])).toMatchObject({ code: 2, stdout: '' })
    place.write('.claude.json', json({ history: 'x'.repeat(16 * 1024 * 1024) }))
    expect((await place.run(['import'])).stderr).toMatch(/larger than 16384 KiB/)
  })

  it('asks which one is meant where several clients are found', async () => {
    await using place = new Place()
    put(place, '.cursor/mcp.json', '{}')
    put(place, '.mcp.json', '{}')
    const { code, stderr } = await place.run(['import'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/Several clients .* claude, cursor\.\nhint: .*--from claude/)
  })

  it('turns the references of clients into its own', async () => {
    await using place = new Place()
    const text = `{
      // asked once
      "inputs": [{ "id": "api-key", "type": "promptString", "password": true }],
      "servers": {
        "a": {
          "type": "stdio", "command": "\${workspaceFolder}/bin", /* of ours */
          "args": ["http://x//y", "\${userHome}", "$5 and $$", "\${KEEP:-// no, comment}"],
          "env": { "KEY": "\${input:api-key}", "OTHER": "\${env:OTHER}", },
        },
        "off": { "command": "x", "disabled": true, "env": { "X": "\${command:ask}" } },
      },
    }`
    put(place, '.vscode/mcp.json', text)
    const { code, stdout, stderr } = await place.run(['import'])
    expect({ code, ...parse(stdout).connections.a }).toEqual({
      code: 0,
      type: 'mcp',
      command: `${place.dir}/bin`,
      args: ['http://x//y', place.dir, '$$5 and $$$$', '${KEEP:-// no, comment}'],
      env: { KEY: '${API_KEY}', OTHER: '${OTHER}' },
    })
    expect(stderr).toMatch(/input:api-key.*API_KEY/)
    expect(stderr).toMatch(/servers\.off: disabled/)
    expect(stderr).toContain('Set before Weir starts: API_KEY, OTHER.')
  })

  it('starts programs where their client did, also from a configuration elsewhere', async () => {
    await using place = new Place()
    put(
      place,
      'project/.cursor/mcp.json',
      json({ mcpServers: { a: { command: './a' }, b: { url: 'https://b.example' } } }),
    )
    const { stdout } = await place.run(['import', 'project/.cursor/mcp.json', '--json'])
    expect(JSON.parse(stdout).connections).toEqual({
      a: { type: 'mcp', command: './a', cwd: join(place.dir, 'project') },
      b: { type: 'mcp', url: 'https://b.example' },
    })
  })

  it('S16: names the keys that hold secrets, and never what they hold', async () => {
    await using place = new Place()
    const secret = 'hunter2-is-a-secret'
    const servers = {
      a: {
        command: 'x',
        args: ['--api-key', secret, `--token=${secret}`],
        env: { GH_TOKEN: secret, B_TOKEN: '${B}' },
      },
      b: {
        url: `https://u:${secret}@b.example/?access_token=${secret}`,
        headers: { Authorization: secret, Accept: secret, Cookie: '${C}' },
      },
    }
    put(place, '.mcp.json', json({ mcpServers: servers }))
    const { code, stdout, stderr } = await place.run(['import'])
    expect(code).toBe(0)
    expect(parse(stdout).connections.a.env.GH_TOKEN).toBe(secret)
    expect(parse(stdout).connections.b.headers).toEqual({ Authorization: secret, Cookie: '${C}' })
    expect(stderr).not.toContain(secret)
    const named = [...stderr.matchAll(/connection (\w): (.+) looks like a secret.*"(\$\{\w+\})"/g)]
    expect(named.map(([, ...words]) => words)).toEqual([
      ['a', 'env.GH_TOKEN', '${GH_TOKEN}'],
      ['a', 'args --api-key', '${A_API_KEY}'],
      ['a', 'args --token', '${A_TOKEN}'],
      ['b', 'headers.Authorization', '${B_AUTHORIZATION}'],
      ['b', 'url password', '${B_PASSWORD}'],
      ['b', 'url access_token', '${B_ACCESS_TOKEN}'],
    ])
    const broken = json({ mcpServers: servers }).replace('"x",', `"x" ${secret}`)
    put(place, '.mcp.json', broken)
    const refused = await place.run(['import'])
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toMatch(/cannot be read as JSON: it breaks at line 4, column \d+/)
    expect(refused.stderr).not.toContain(secret)
  })

  it.each([
    [
      'a reference to nothing',
      { a: { command: 'x', args: ['${command:pick}'] } },
      /mcpServers\.a\.args\[0\]: Weir has nothing/,
    ],
    ['neither command nor URL', { a: {} }, /mcpServers\.a: has neither a command nor a url/],
    [
      'two servers of one name',
      { 'A b': { command: 'x' }, 'a-b': { command: 'y' } },
      /is the connection a-b too/,
    ],
    ['a name of nothing', { '!': { command: 'x' } }, /as a connection this is ""/],
    ['a number for a text', { a: { command: 'x', env: { A: 1 } } }, /mcpServers\.a\.env\.A: /],
    ['a URL that is none', { a: { url: 'ftp://x' } }, /mcpServers\.a\.url: /],
    ['no object', 'x', /mcpServers: is no object/],
  ])('refuses %s: exit 2, and nothing is written', async (_, servers, message) => {
    await using place = new Place()
    put(place, '.mcp.json', json({ mcpServers: servers }))
    const { code, stdout, stderr } = await place.run(['import', '--write'])
    expect({ code, stdout, files: readdirSync(place.dir) }).toEqual({
      code: 2,
      stdout: '',
      files: ['.mcp.json'],
    })
    expect(stderr).toMatch(message)
  })

  it('says where it looked', async () => {
    await using place = new Place()
    const { code, stderr } = await place.run(['import', '--from', 'cursor'])
    expect(code).toBe(1)
    expect(stderr).toContain(join(place.dir, '.cursor/mcp.json'))
    expect(await place.run(['import', '--from', 'emacs'])).toMatchObject({ code: 1 })
    expect((await place.run(['import', 'missing.json'])).stderr).toMatch(
      /^error: missing\.json: it does not exist/,
    )
  })
})

const yaml = `# The shop's gateway.
connections:

  # Read only.
  shop:   { type: sql, databases: { main: { url: "sqlite:./shop.db" } } }   # nightly copy
  api:
    type: http
    apis:
        pay: { baseUrl: 'https://pay.example' }


# Rules.
policies: {  "shop:*": { timeout: 10s } }
mcpServers: { "Old One": { command: old } }
`
const added = `  new:
    type: mcp
    command: x
`

describe('import --write', () => {
  it('changes not a byte of what is there, and keeps its permissions', async () => {
    await using place = new Place()
    place.write('weir.yaml', yaml)
    chmodSync(join(place.dir, 'weir.yaml'), 0o640)
    put(place, '.mcp.json', json({ mcpServers: { new: { command: 'x' } } }))
    const { code, stdout } = await place.run(['import', '--write', '--json'])
    expect({ code, ...JSON.parse(stdout) }).toEqual({ code: 0, written: 'weir.yaml', connections: ['new'] })
    expect(read(place)).toBe(yaml.replace("example' }\n", `example' }\n${added}`))
    expect(statSync(join(place.dir, 'weir.yaml')).mode & 0o777).toBe(0o640)
    expect(readdirSync(place.dir).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it.each([
    ['one line', '# kept\nconnections: { a: { type: mcp, command: a } } # too\n'],
    ['nothing in it', '# kept\nconnections: {} # too\nlog: { level: warn }\n'],
    ['no value', '# kept\nconnections: # too\nlog: { level: warn }\n'],
    ['no such block', '# kept\nlog: { level: warn } # too\n'],
    ['comments only', '# kept\n# too\n'],
    ['line ends of Windows', '# kept\r\nconnections:\r\n  a: { type: mcp, command: a } # too\r\n'],
    ['no line end', '# kept # too\nconnections:\n  a: { type: mcp, command: a }'],
    ['JSON', '{"connections":{"a":{"type":"mcp","command":"a"}},"log":{}}'],
  ])('adds to a block of connections with %s', async (what, text) => {
    await using place = new Place()
    place.write('weir.yaml', text)
    put(place, '.mcp.json', json({ mcpServers: { new: { command: 'x' } } }))
    expect(await place.run(['import', '--write'])).toMatchObject({ code: 0 })
    const after = read(place)
    const before = parse(text) ?? {}
    const connections = { ...before.connections, new: { type: 'mcp', command: 'x' } }
    expect(parse(after)).toEqual({ ...before, connections })
    if (what === 'JSON') expect(() => JSON.parse(after)).not.toThrow()
    else expect(after).toMatch(/^# kept[\s\S]*# too/)
    expect(await place.run(['validate'])).toMatchObject({ code: 0 })
  })

  it.each(['shop', 'Old_One'])('leaves the file byte for byte where the name %s is taken', async (name) => {
    await using place = new Place()
    place.write('weir.yaml', yaml)
    put(place, '.mcp.json', json({ mcpServers: { fresh: { command: 'x' }, [name]: { command: 'x' } } }))
    const { code, stderr } = await place.run(['import', '--write'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/weir\.yaml has (?:shop|old-one) already; nothing was written/)
    expect(read(place)).toBe(yaml)
  })

  it.each([
    ['no YAML', 'connections: [', /weir\.yaml:1:\d+ is not a configuration/],
    ['a block that is no map', 'connections: [a]', /no map/],
  ])('refuses a configuration with %s: exit 2', async (_, text, message) => {
    await using place = new Place()
    place.write('weir.yaml', text)
    put(place, '.mcp.json', json({ mcpServers: { new: { command: 'x' } } }))
    const { code, stderr } = await place.run(['import', '--write'])
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
    expect(read(place)).toBe(text)
  })

  it('makes the file where there is none, for its owner only', async () => {
    await using place = new Place()
    put(place, '.mcp.json', json({ mcpServers: { new: { command: 'x' } } }))
    expect(await place.run(['import', '--write', '--config', 'own.yaml'])).toMatchObject({ code: 0 })
    expect(read(place, 'own.yaml')).toBe(`connections:\n${added}`)
    expect(statSync(join(place.dir, 'own.yaml')).mode & 0o777).toBe(0o600)
    const missing = await place.run(['import', '--write', '--config', 'missing/weir.yaml'])
    expect(missing).toMatchObject({ code: 1 })
    expect(missing.stderr).toMatch(/cannot be written \(ENOENT\)/)
  })
})
