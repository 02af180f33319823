import { describe, expect, it } from 'vitest'
import type { Connection } from '../core/connector.ts'
import { createLog } from '../telemetry/log.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import { type CatalogParts, createCatalog } from './catalog.ts'
import { createConnection } from './connection.fixture.ts'
import { createToolset, prompt, tool } from './toolsets/toolset.fixture.ts'

async function open(
  opens: Readonly<Record<string, () => Promise<Connection>>>,
  more: Partial<CatalogParts> = {},
) {
  const clock = createFakeClock()
  const lines: Record<string, unknown>[] = []
  const catalog = createCatalog({
    sources: Object.entries(opens).map(([name, open]) => ({ name, type: 'test', open })),
    clock,
    log: createLog((line) => void lines.push(JSON.parse(line))),
    random: () => 1,
    ...more,
  })
  await clock.advance(0)
  const told = () => lines.filter(({ event }) => String(event).startsWith('toolset.'))
  return { catalog, told }
}

const mail = createConnection([tool('send'), tool('list')])
const toolsets = {
  support: createToolset({ tools: ['mail:send', { tool: 'mail:list', name: 'inbox' }] }),
}

describe('a catalog with toolsets', () => {
  it('has a view for each, beside those of connections, that follows them', async () => {
    const box = createConnection([tool('send')])
    const { catalog } = await open({ mail: async () => box }, { toolsets })
    const names = () =>
      catalog
        .view('support')
        ?.tools.list()
        .map(({ name }) => name)
    expect(names()).toEqual(['mail__send'])
    box.offer([tool('send'), tool('list')])
    expect(names()).toEqual(['inbox', 'mail__send'])
    expect([catalog.view('mail') !== undefined, catalog.view('other')]).toEqual([true, undefined])
  })

  it('leaves out what it cannot check', async () => {
    const fixed = createToolset({ tools: ['mail:*', { tool: 'mail:send', arguments: { a: 1 } }] })
    const { catalog, told } = await open({ mail: async () => mail }, { toolsets: { fixed } })
    expect(
      catalog
        .view('fixed')
        ?.tools.list()
        .map(({ name }) => name),
    ).toEqual(['mail__list'])
    expect(told()).toMatchObject([{ level: 'error', event: 'toolset.tool-left-out', tool: 'mail:send' }])
  })
})

describe('patterns that match nothing', () => {
  const idle = createToolset({
    tools: ['mail:send', 'mail:sned', '*:nothing', 'down:any', { tool: 'mail:gone' }],
    ...{ exclude: ['mail:delete_*'], pinned: ['mail:*'], prompts: ['mail:ask', 'mail:tell'] },
  })
  const offering = async () =>
    createConnection([tool('send'), prompt('ask')] as unknown as Parameters<typeof createConnection>[0])

  it('are told once the connections have had their chance, but for those that are down', async () => {
    const refuse = () => Promise.reject(new Error('refused'))
    const { told } = await open({ mail: offering, down: refuse }, { toolsets: { idle, ...toolsets } })
    expect(told()).toMatchObject([
      { level: 'warn', toolset: 'idle', patterns: ['mail:sned', 'mail:gone', 'mail:delete_*', 'mail:tell'] },
      { level: 'warn', toolset: 'support', patterns: ['mail:list'] },
    ])
  })

  it('are told of any connection where all are up, twenty at most', async () => {
    const many = createToolset({ tools: Array.from({ length: 30 }, (_, i) => `*:no_${i}`) })
    const { told } = await open({ mail: offering }, { toolsets: { many } })
    expect(told().map(({ patterns }) => (patterns as string[]).length)).toEqual([20])
  })

  it('are not told before, nor by a catalog that is closing', async () => {
    let arrive = (_connection: Connection): void => {}
    const late = new Promise<Connection>((resolve) => {
      arrive = resolve
    })
    const { catalog, told } = await open({ mail: () => late }, { toolsets: { idle } })
    expect(told()).toEqual([])
    const closing = catalog.close()
    arrive(await offering())
    await closing
    await new Promise(setImmediate)
    expect(told()).toEqual([])
  })
})

describe('D4-032: the search of a catalog', () => {
  it('finds every tool, and follows connections', async () => {
    const box = createConnection([tool('send')])
    const { catalog } = await open({ box: async () => box, mail: async () => mail })
    const find = async (query: string) => (await catalog.search(query, { limit: 5 })).map(({ id }) => id)
    expect(await find('send')).toEqual(['box:send', 'mail:send'])
    box.offer([tool('post')])
    expect([await find('send'), await find('pos')]).toEqual([['mail:send', 'box:post'], ['box:post']])
  })

  it('answers with the catalog’s own entries', async () => {
    const { catalog } = await open({ mail: async () => mail })
    expect((await catalog.search('inbox list', { limit: 1 }))[0]).toBe(catalog.find('mail:list'))
  })
})
