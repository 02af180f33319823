import { describe, expect, it } from 'vitest'
import { lines, parse } from './load.fixture.ts'

const base = 'connections: { crm: { type: sql }, mail: { type: sql } }\n'

describe('toolsets', () => {
  it('are taken as they are written, with what they leave out', () => {
    const { config, warnings } = parse(`${base}toolsets:
  support:
    description: Help for customers.
    tools: ["crm:*", { tool: "mail:send", name: write, arguments: { from: a@b, deep: { x: [1, true] } } }]
    exclude: ["crm:delete_*"]
`)
    const pieces = { prompts: [], resources: [], pinned: [], search: false }
    expect(config.toolsets['support']).toEqual({
      description: 'Help for customers.',
      tools: [
        'crm:*',
        { tool: 'mail:send', name: 'write', arguments: { from: 'a@b', deep: { x: [1, true] } } },
      ],
      exclude: ['crm:delete_*'],
      ...pieces,
    })
    expect([config.toolsets['constructor'], warnings]).toEqual([undefined, []])
  })

  it('have everything wrong with them told with its place', () => {
    const text = `${base}toolsets:
  a:
    tools: ["no pattern", { tool: "crm:*" }, { tool: "crm:x", nam: y }, { tool: "crm:x", name: "a b" }, { name: z }]
    exclud: []
  discover: {}
  Bad: {}
`
    expect(lines(text)).toEqual([
      expect.stringMatching(/^4:13 toolsets\.a\.tools\[0\]: /),
      '4:35 toolsets.a.tools[1].tool: an override is of one tool: "mail:send_email" (got "crm:*")',
      '4:63 toolsets.a.tools[2].nam: unknown key "nam"; did you mean "name"?',
      expect.stringMatching(/^4:96 toolsets\.a\.tools\[3\]\.name: a tool’s name has at most 64 characters/),
      expect.stringMatching(/^4:105 toolsets\.a\.tools\[4\]\.tool: is required/),
      '5:5 toolsets.a.exclud: unknown key "exclud"; did you mean "exclude"?',
      '6:3 toolsets.discover: this name is reserved',
      '7:3 toolsets.Bad: a name is made of a-z, 0-9 and -',
    ])
  })

  it('share their names with connections, those of clients too', () => {
    const text = `mcpServers: { Local Notes: { command: x } }\n${base}toolsets: { crm: {}, local-notes: {} }\n`
    expect(lines(text)).toEqual([
      '3:13 toolsets.crm: the name "crm" is taken by connections.crm; rename one of them',
      '3:22 toolsets.local-notes: the name "local-notes" is taken by mcpServers."Local Notes"; rename one of them',
    ])
  })

  it('give no two tools one name', () => {
    const text = `${base}toolsets:
  a:
    search: true
    tools:
      - { tool: "crm:x", name: same }
      - { tool: "crm:y", name: same }
      - { tool: "crm:z" }
      - { tool: "crm:z" }
      - { tool: "crm:w", name: call_tool }
  b: { tools: [{ tool: "crm:w", name: call_tool }] }
`
    expect(lines(text)).toEqual([
      '7:32 toolsets.a.tools[1].name: "same" is taken by toolsets.a.tools[0].name; give one of them another name',
      '9:17 toolsets.a.tools[3].tool: "crm:z" is taken by toolsets.a.tools[2].tool; give one of them another name',
      '10:32 toolsets.a.tools[4].name: "call_tool" is taken by a tool of the search; give one of them another name',
    ])
  })

  it('warn of connections that are not there', () => {
    const { warnings } = parse(`${base}toolsets: { a: { tools: ["mial:*", "*:x"], exclude: ["zebra:y"] } }\n`)
    expect(warnings.map((line) => line.replace('/etc/weir/weir.yaml:', ''))).toEqual([
      '2:26 toolsets.a.tools[0]: no connection is named "mial"; did you mean "mail"?',
      '2:54 toolsets.a.exclude[0]: no connection is named "zebra"',
    ])
  })

  it('can stand for everything only where they are there', () => {
    expect(lines(`${base}toolsets: { support: {} }\nserver: { toolset: suport }\n`)).toEqual([
      '3:20 server.toolset: no toolset is named "suport"; did you mean "support"?',
    ])
    expect(parse(`${base}toolsets: { a: {} }\nserver: { toolset: a }\n`).config.server.toolset).toBe('a')
  })

  it('keep fixed values that come from outside secret, and nothing else', () => {
    const env = { KEY: 'canary-key', WORD: 'canary-word' }
    const { secrets } = parse(
      `${base}toolsets: { a: { description: "\${WORD}", tools: [{ tool: "crm:x", arguments: { key: "\${KEY}" } }] } }\n`,
      env,
    )
    expect(secrets.redact('canary-key canary-word')).toBe('[redacted] canary-word')
  })

  it('hold at most a thousand patterns', () => {
    const many = Array.from({ length: 1_001 }, () => '"crm:*"').join()
    expect(lines(`${base}toolsets: { a: { exclude: [${many}] } }\n`)[0]).toContain('too big')
  })
})
