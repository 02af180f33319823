import { describe, expect, it } from 'vitest'
import { lines, parse } from './load.fixture.ts'

/** The connections of a file in the clients' own format. */
function connectionsOf(block: object, env: Record<string, string> = {}) {
  return parse(JSON.stringify(block), env).config.connections
}

describe('clients’ formats', () => {
  it('Claude Code: a .mcp.json is a valid config as it is', () => {
    const block = {
      mcpServers: {
        files: { command: 'npx', args: ['-y', 'server-filesystem', '${DIR:-/data}'], env: { KEY: '${KEY}' } },
        remote: { type: 'http', url: 'https://mcp.example/mcp', headers: { Authorization: 'Bearer ${KEY}' } },
        old: { type: 'sse', url: 'https://mcp.example/sse' },
        stdio: { type: 'stdio', command: 'server', cwd: '/srv' },
      },
    }
    expect(connectionsOf(block, { KEY: 'key-1234' })).toEqual({
      files: {
        type: 'mcp',
        config: { command: 'npx', args: ['-y', 'server-filesystem', '/data'], env: { KEY: 'key-1234' } },
      },
      remote: {
        type: 'mcp',
        config: {
          url: 'https://mcp.example/mcp',
          headers: { Authorization: 'Bearer key-1234' },
          allowPrivate: false,
        },
      },
      old: { type: 'mcp', config: { url: 'https://mcp.example/sse', allowPrivate: false } },
      stdio: { type: 'mcp', config: { command: 'server', args: [], cwd: '/srv' } },
    })
  })

  it('D3-010 to D3-013: servers with arguments, and secrets from the environment', () => {
    const block = {
      mcpServers: {
        filesystem: {
          command: 'npx',
          args: ['-y', '@modelcontextprotocol/server-filesystem'],
          env: { PATHS: '/project,/data' },
        },
        postgres: {
          command: 'uv',
          args: ['run', 'mcp_postgres_server.py'],
          env: { DATABASE_URL: '${DATABASE_URL}' },
        },
        github: {
          command: 'npx',
          args: ['-y', '@modelcontextprotocol/server-github'],
          env: { GITHUB_TOKEN: '${GITHUB_TOKEN}' },
        },
      },
    }
    const env = { DATABASE_URL: 'postgres://db.example/shop', GITHUB_TOKEN: 'token-1234' }
    const { filesystem, postgres, github } = block.mcpServers
    expect(connectionsOf(block, env)).toEqual({
      filesystem: { type: 'mcp', config: filesystem },
      postgres: { type: 'mcp', config: { ...postgres, env: { DATABASE_URL: env.DATABASE_URL } } },
      github: { type: 'mcp', config: { ...github, env: { GITHUB_TOKEN: env.GITHUB_TOKEN } } },
    })
    expect(
      lines(JSON.stringify(block)).map((line) => /the variable (\w+) is not set/.exec(line)?.[1]),
    ).toEqual(['DATABASE_URL', 'GITHUB_TOKEN'])
  })

  it('Cursor: a URL without a type, and ${env:VAR}', () => {
    const block = {
      mcpServers: { c: { url: 'https://${env:HOST}/mcp', headers: { 'X-Key': '${env:KEY}' } } },
    }
    expect(connectionsOf(block, { HOST: 'mcp.example', KEY: 'key-1234' })['c']?.config).toEqual({
      url: 'https://mcp.example/mcp',
      headers: { 'X-Key': 'key-1234' },
      allowPrivate: false,
    })
  })

  it('VS Code: servers, and inputs that nobody asks', () => {
    const block = {
      inputs: [{ id: 'key', type: 'promptString' }],
      servers: { a: { type: 'stdio', command: 'a' }, b: { type: 'http', url: 'https://b.example/' } },
    }
    const { config, warnings } = parse(JSON.stringify(block))
    expect(Object.keys(config.connections)).toEqual(['a', 'b'])
    expect(warnings).toEqual(['/etc/weir/weir.yaml:1:2 inputs: ignored'])
    const asking = { servers: { a: { command: 'a', env: { K: '${input:key}' } } } }
    expect(lines(JSON.stringify(asking))[0]).toMatch(/servers\.a\.env\.K: \$\{input:…\} asks its user/)
  })

  it('${env:VAR} is for these blocks only', () => {
    expect(lines('connections: { a: { type: sql, auth: "${env:A}" } }', { A: 'x' })[0]).toMatch(
      /write \$\{A\}$/,
    )
  })

  it('stand beside connections of Weir’s own', () => {
    const text = 'connections: { db: { type: sql } }\nmcpServers: { files: { command: npx } }'
    expect(Object.keys(parse(text).config.connections)).toEqual(['db', 'files'])
  })
})

describe('names', () => {
  it.each([
    ['My Server', 'my-server'],
    ['a_b.c', 'a-b-c'],
    ['@scope/pkg', 'scope-pkg'],
    ['  x  ', 'x'],
    ['GitHub (work)', 'github-work'],
    ['ünï', 'n'],
  ])('%j becomes %j', (label, name) => {
    expect(Object.keys(connectionsOf({ mcpServers: { [label]: { command: 'x' } } }))).toEqual([name])
  })

  it.each([
    ['文件', /as a connection this is ""; a name is made of a-z, 0-9 and -; rename it/],
    ['Discover', /as a connection this is "discover"; this name is reserved; rename it/],
    ['x'.repeat(65), /at most 64 characters/],
  ])('%s is refused', (label, message) => {
    expect(lines(JSON.stringify({ mcpServers: { [label]: { command: 'x' } } }))[0]).toMatch(message)
  })

  it.each([
    [
      'within a block',
      'mcpServers:\n  My Server: { command: a }\n  my_server: { command: b }',
      '3:3 mcpServers.my_server: the name "my-server" is taken by mcpServers."My Server"; rename one of them',
    ],
    [
      'with a connection',
      'connections: { files: { type: sql } }\nmcpServers: { Files: { command: a } }',
      '2:15 mcpServers.Files: the name "files" is taken by connections.files; rename one of them',
    ],
    [
      'between blocks',
      'mcpServers: { a: { command: a } }\nservers: { a: { command: a } }',
      '2:12 servers.a: the name "a" is taken by mcpServers.a; rename one of them',
    ],
  ])('that clash %s name both', (_, text, line) => {
    expect(lines(text)).toEqual([line])
  })
})

describe('what clients add', () => {
  it('a disabled server is left out, whatever is in it', () => {
    const off = { command: '${NOT_SET}', args: 1, nonsense: true }
    const servers = {
      a: { ...off, disabled: true },
      b: { ...off, enabled: false },
      c: { command: '${CMD}', disabled: false },
    }
    expect(connectionsOf({ mcpServers: servers }, { CMD: 'cmd' })).toEqual({
      c: { type: 'mcp', config: { command: 'cmd', args: [] } },
    })
  })

  it('keys for the client itself are ignored with one warning each', () => {
    const text = `mcpServers:
  a:
    command: a
    headers: { X: y }
    autoApprove: [x]
    timeout: 60
`
    const { config, warnings } = parse(text)
    expect(config.connections['a']?.config).toEqual({ command: 'a', args: [] })
    expect(warnings).toEqual([
      '/etc/weir/weir.yaml:4:5 mcpServers.a.headers: ignored: it has no use for a server of this type',
      '/etc/weir/weir.yaml:5:5 mcpServers.a.autoApprove: ignored: it is for the client it was written for',
      '/etc/weir/weir.yaml:6:5 mcpServers.a.timeout: ignored: it is for the client it was written for',
    ])
  })

  it('warnings stop at 50', () => {
    const servers = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`s${index}`, { command: 'x', timeout: 1 }]),
    )
    expect(parse(JSON.stringify({ mcpServers: servers })).warnings).toHaveLength(50)
  })
})

describe('servers that cannot be', () => {
  it.each([
    [
      '{ comand: x }',
      [
        '1:18 mcpServers.a: has neither a command nor a url; give it one of them',
        '1:23 mcpServers.a.comand: unknown key "comand"; did you mean "command"?',
      ],
    ],
    [
      '{ command: x, url: "https://x" }',
      ['1:18 mcpServers.a: has both a command and a url; keep the one that is meant'],
    ],
    [
      '{ type: http, command: x }',
      ['1:18 mcpServers.a: type "http" needs a url; correct the type, or leave it out'],
    ],
    [
      '{ type: stdio, url: "https://x" }',
      ['1:18 mcpServers.a: type "stdio" needs a command; correct the type, or leave it out'],
    ],
    [
      '{ type: ws, url: "https://x" }',
      ['1:29 mcpServers.a.type: expected one of "stdio", "http", "sse", "streamable-http", got "ws"'],
    ],
    ['{ url: nowhere }', ['1:28 mcpServers.a.url: invalid URL (got "nowhere")']],
    [
      '{ command: x, env: { PORT: 80 } }',
      ['1:48 mcpServers.a.env.PORT: expected string, got 80; put it in quotes'],
    ],
    [
      '{ command: "${NONE}" }',
      ['1:32 mcpServers.a.command: the variable NONE is not set; set it, or give a default: ${NONE:-…}'],
    ],
    ['x', ['1:21 mcpServers.a: expected mapping, got "x"']],
  ])('%s', (server, expected) => {
    expect(lines(`   mcpServers: { a: ${server} }`)).toEqual(expected)
  })

  it('S16: show none of the literal secrets that clients’ files hold', () => {
    const text = `mcpServers:
  a: { command: x, env: { API_KEY: canary-1, PORT: 1 }, headers: { Authorization: 5 } }
  b: { url: "canary-1 https://u:canary-2@h", type: canary-2 }
`
    expect(lines(text).join('\n')).not.toContain('canary')
    const { secrets } = parse(
      'mcpServers: { b: { url: "https://h", headers: { Authorization: "Bearer canary-3" } } }',
    )
    expect(secrets.redact('token canary-3')).toBe('token [redacted]')
  })
})

describe('addresses that the operator wrote down', () => {
  it.each([
    ['http://localhost:3000/mcp', true],
    ['http://api.localhost/', true],
    ['http://127.0.0.1:1/', true],
    ['http://0x7f.1/', true],
    ['http://10.1.2.3/', true],
    ['http://172.31.0.1/', true],
    ['http://192.168.0.1/', true],
    ['http://[::1]:1/', true],
    ['http://[fd00::1]/', true],
    ['http://172.32.0.1/', false],
    ['http://169.254.169.254/', false],
    ['http://[fe80::1]/', false],
    ['http://0.0.0.0/', false],
    ['http://8.8.8.8/', false],
    ['https://localhost.example/', false],
    ['https://10.example/', false],
  ])('%s: private ones allowed, %s', (url, allowPrivate) => {
    expect(connectionsOf({ mcpServers: { a: { url } } })['a']?.config).toEqual({ url, allowPrivate })
  })
})
