import { describe, expect, it } from 'vitest'
import { renderReadyScreen } from './ready-screen.ts'
import { renderTable, stripControls } from './render-table.ts'

describe('a table', () => {
  it('aligns columns, numbers to the right, and leaves nothing at the ends of lines', () => {
    const rows = [
      { id: 7, name: 'Ada', note: null },
      { id: 12, name: 'Bea' },
    ]
    expect(renderTable(rows)).toBe(
      ['id  name  note', '──  ────  ────', ' 7  Ada   null', '12  Bea'].join('\n'),
    )
  })

  it('keeps a given order of columns, and shows their names even without rows', () => {
    expect(renderTable([{ b: 1, a: 2 }], { columns: ['a', 'b'] })).toMatch(/^a {2}b\n/)
    expect(renderTable([], { columns: ['a'] })).toBe('a\n─')
  })

  it('cuts long cells and lines, and lets no control character through to the terminal', () => {
    const rows = [{ text: 'x'.repeat(80), more: 'y' }, { text: 'a\u001b[2Jb\nc\u009b' }]
    const table = renderTable(rows, { cellCharsMax: 60 })
    expect(table).toContain(`${'x'.repeat(59)}…  y`)
    expect(table).toContain('a[2Jb c')
    expect(renderTable(rows, { lineCharsMax: 10 }).split('\n')[2]).toBe(`${'x'.repeat(9)}…`)
    expect(renderTable(rows)).toContain('x'.repeat(80))
    expect(stripControls('a\r\u0007\tb\n')).toBe('a\tb\n')
  })
})

describe('the ready screen', () => {
  const facts = { version: '1.0.0', url: 'http://127.0.0.1:8000', isSample: true, isConfiguredPort: true }
  const connection = {
    name: 'database',
    type: 'sql',
    state: 'up',
    tools: 4,
    resources: 0,
    prompts: 0,
  } as const

  it('names where it listens, how connections stand and three things to try', () => {
    const screen = renderReadyScreen({
      ...facts,
      connections: [
        connection,
        { ...connection, name: 'slow', state: 'starting', tools: 0 },
        { ...connection, name: 'lazy', state: 'idle', tools: 1 },
        { ...connection, name: 'loop', state: 'crash-loop', cause: 'It exited with code 1.' },
        { ...connection, name: 'dead', state: 'down', cause: `no\nroute ${'x'.repeat(90)}` },
      ],
    })
    expect(screen).toContain('http://127.0.0.1:8000/metrics')
    expect(screen).toMatch(/database +up, 4 tools/)
    expect(screen).toMatch(/slow +still starting/)
    expect(screen).toMatch(/lazy +idle until its first call, 1 tool\n/)
    expect(screen).toMatch(/loop +dies at each start: It exited with code 1\.\n/)
    expect(screen).toMatch(/dead +down: no route x{50,}…\n/)
    expect(screen).toMatch(/npx weir call database:execute_query .*\n.*curl .*\n.*claude mcp add/)
  })

  it('fits one screen however many connections there are', () => {
    const connections = Array.from({ length: 50 }, (_, index) => ({ ...connection, name: `c${index}` }))
    const screen = renderReadyScreen({ ...facts, connections })
    expect(screen.split('\n').length).toBeLessThanOrEqual(24)
    expect(screen).toContain('and 42 more')
  })

  it('names the port to a command that would not find it', () => {
    const moved = { ...facts, url: 'http://127.0.0.1:9', isConfiguredPort: false, connections: [] }
    expect(renderReadyScreen(moved)).toContain('npx weir call --port 9 ')
    expect(renderReadyScreen({ ...moved, isSample: false })).toContain('npx weir tools --port 9')
  })
})
