import { describe, expect, it } from 'vitest'
import { countReads, createTools, type Definition, nameDefinition } from './search.fixture.ts'
import { createToolSearch } from './tool-search.ts'

function setUp(...definitions: readonly Definition[]) {
  const listing = createTools(definitions.map((definition) => nameDefinition('box', definition)))
  const search = createToolSearch(listing)
  const find = async (query: string, limit = 10, category?: string) => {
    const found = await search.search(query, { limit, category })
    return found.map(({ entry }) => entry.target.name)
  }
  return { listing, find }
}

const offer = (...definitions: readonly Definition[]) =>
  definitions.map((definition) => nameDefinition('box', definition))

describe('a search', () => {
  it('finds by name, title, description, argument and what is said of arguments', async () => {
    const { find } = setUp(
      { name: 'createInvoice', description: 'Bills somebody.' },
      { name: 'x1', title: 'Weather forecast' },
      { name: 'x2', description: 'Turns kettles on.' },
      { name: 'x3', inputSchema: { type: 'object', properties: { zipCode: { type: 'string' } } } },
      {
        name: 'x4',
        inputSchema: {
          type: 'object',
          properties: { a: { type: 'object', properties: { b: { description: 'Wavelength in metres' } } } },
        },
      },
    )
    expect(await find('invoices')).toEqual(['createInvoice'])
    expect(await find('Forecast')).toEqual(['x1'])
    expect(await find('kettle')).toEqual(['x2'])
    expect(await find('zip')).toEqual(['x3'])
    expect(await find('wavelengths')).toEqual(['x4'])
    expect(await find('zebra')).toEqual([])
  })

  it('puts a name before a description, and what fits more words first', async () => {
    const { find } = setUp(
      { name: 'a_tool', description: 'Sends mail to customers.' },
      { name: 'mail', description: 'Anything.' },
      { name: 'customers', description: 'Lists them.' },
    )
    expect((await find('mail'))[0]).toBe('mail')
    expect((await find('mail customers sends'))[0]).toBe('a_tool')
  })

  it('D4-032: always finds a part of a name, whatever its case, and a part of a description last', async () => {
    const { find } = setUp(
      { name: 'execute_parallel_queries' },
      { name: 'other', description: 'Runs recute things' },
    )
    for (const part of ['cute_par', 'QUERIES', 'x', 'box:exec', 'box__exec', 'llel_q']) {
      expect(await find(part), part).toContain('execute_parallel_queries')
    }
    expect(await find('cute')).toEqual(['execute_parallel_queries', 'other'])
  })

  it('finds everything where it is given no words, without an index', async () => {
    const { listing, reads } = countReads(createTools(offer({ name: 'b', category: 'x' }, { name: 'a' })))
    const search = createToolSearch(listing)
    const find = async (query: string, category?: string) =>
      (await search.search(query, { limit: 5, category })).map(({ name }) => name)
    expect([await find(''), await find(' ', 'x')]).toEqual([['box__b', 'box__a'], ['box__b']])
    expect(reads()).toBe(2)
  })

  it('answers at most so many, and ties in the order of names', async () => {
    const definitions = ['c', 'a', 'e', 'b', 'd'].map((name) => ({
      name: `${name}_same`,
      description: 'Same.',
    }))
    const { find } = setUp(...definitions)
    expect(await find('same')).toEqual(['a_same', 'b_same', 'c_same', 'd_same', 'e_same'])
    expect(await find('same', 2)).toEqual(['a_same', 'b_same'])
  })

  it('D4-032: is narrowed to a category, `general` where a tool names none', async () => {
    const { find } = setUp({ name: 'run_a', category: 'Sport' }, { name: 'run_b' })
    expect(await find('run', 10, 'sport')).toEqual(['run_a'])
    expect(await find('run', 10, 'general')).toEqual(['run_b'])
    expect(await find('run', 10, 'other')).toEqual([])
  })
})

describe('a list that changes', () => {
  it('B-132: takes a tool from one category to the other, and forgets what is gone', async () => {
    const { listing, find } = setUp({ name: 'run', category: 'sport' }, { name: 'sit' })
    expect(await find('run', 10, 'sport')).toEqual(['run'])
    listing.replace(offer({ name: 'run', category: 'work' }))
    expect(await find('run', 10, 'sport')).toEqual([])
    expect(await find('run', 10, 'work')).toEqual(['run'])
    expect(await find('sit')).toEqual([])
  })

  it('is searched as it is: new words found, old ones no more', async () => {
    const { listing, find } = setUp({ name: 'a', description: 'Old kettle.' })
    expect(await find('kettle')).toEqual(['a'])
    listing.replace(offer({ name: 'a', description: 'New teapot.' }))
    expect([await find('kettle'), await find('teapot')]).toEqual([[], ['a']])
  })

  it('is read again only where it changed, and once for questions that come together', async () => {
    const { listing, reads } = countReads(createTools(offer({ name: 'a' })))
    const search = createToolSearch(listing)
    expect(reads()).toBe(0)
    await Promise.all(['a', 'b', 'c'].map((query) => search.search(query, { limit: 1 })))
    await search.search('a', { limit: 1 })
    expect(reads()).toBe(1)
  })

  it('may change while it is being indexed: no answer names what is gone', async () => {
    const many = Array.from({ length: 500 }, (_, i) => ({ name: `tool_${i}` }))
    const { listing, find } = setUp(...many)
    const answer = find('tool', 500)
    await new Promise(setImmediate)
    listing.replace(offer({ name: 'tool_9' }))
    expect((await answer).every((name) => listing.find(`box__${name}`) !== undefined)).toBe(true)
    expect(await find('tool', 500)).toEqual(['tool_9'])
  })

  it('lets other work have its turn while it takes in thousands', async () => {
    const { find } = setUp(...Array.from({ length: 2_000 }, (_, i) => ({ name: `tool_${i}` })))
    let turns = 0
    const count = () => {
      turns += 1
      timer = setImmediate(count)
    }
    let timer = setImmediate(count)
    await find('tool')
    clearImmediate(timer)
    expect(turns).toBeGreaterThan(30)
  })
})

describe('hostile input', () => {
  it('a question of 100 KB is read up to its bound', async () => {
    const { find } = setUp({ name: 'run', description: 'Runs.' })
    const startedMs = performance.now()
    expect(await find(`run ${'word '.repeat(20_000)}`)).toEqual(['run'])
    expect(await find(`${'x '.repeat(50_000)} run`)).toEqual([])
    expect(await find('a'.repeat(100_000))).toEqual([])
    expect(performance.now() - startedMs).toBeLessThan(1_000)
  })

  it('a description that repeats a word does not come before the tool of that name', async () => {
    const { find } = setUp(
      { name: 'send_mail', description: 'Sends a mail.' },
      { name: 'evil', description: 'mail '.repeat(5_000) },
    )
    expect((await find('send a mail'))[0]).toBe('send_mail')
  })

  it('words that are names of prototypes are words', async () => {
    const { find } = setUp({ name: 'constructor', description: '__proto__ hasOwnProperty' })
    expect(await find('constructor')).toEqual(['constructor'])
    expect(await find('__proto__')).toEqual(['constructor'])
  })

  it('a schema in a circle, and one that cannot say itself, leave the tool findable', async () => {
    const circle: Record<string, unknown> = { type: 'object' }
    circle['properties'] = { again: circle }
    const mute = nameDefinition('box', { name: 'mute' })
    Object.assign(mute.entry.target, {
      input: {
        '~standard': {
          jsonSchema: {
            input: () => {
              throw new Error('no words')
            },
          },
        },
      },
    })
    const listing = createTools([nameDefinition('box', { name: 'round', inputSchema: circle }), mute])
    const search = createToolSearch(listing)
    const found = [await search.search('round', { limit: 5 }), await search.search('mute', { limit: 5 })]
    expect(found.flat().map(({ name }) => name)).toEqual(['box__round', 'box__mute'])
  })
})
