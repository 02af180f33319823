import { describe, expect, it } from 'vitest'
import { openToolset, prompt, resource, template, tool } from './toolset.fixture.ts'

const crm = [tool('find_customer'), tool('delete_customer'), tool('delete_all')]
const mail = [tool('send', { to: { type: 'string' }, from: { type: 'string' } }), tool('list')]
const offers = { crm, mail }

describe('the tools of a toolset', () => {
  it('are those that ids and patterns name, prefixed and sorted', () => {
    const { names } = openToolset({ tools: ['mail:send', 'crm:*_customer'] }, offers)
    expect(names()).toEqual(['crm__delete_customer', 'crm__find_customer', 'mail__send'])
  })

  it('are without those that are excluded, whatever else names them', () => {
    const override = { tool: 'crm:delete_all', name: 'tidy' }
    const { names } = openToolset({ tools: ['*', override], exclude: ['crm:delete_*'] }, offers)
    expect(names()).toEqual(['crm__find_customer', 'mail__list', 'mail__send'])
  })

  it('are none where nothing is named', () => {
    expect(openToolset({}, offers).names()).toEqual([])
  })

  it('are the catalog’s own entries where nothing is changed, and the same overridden one for as long as it lives', () => {
    const { view, all, offer } = openToolset(
      { tools: ['mail:*', { tool: 'crm:delete_all', name: 'wipe' }] },
      offers,
    )
    expect(view.tools.find('mail__send')).toBe(all.tools.find('mail__send'))
    const [wipe, { version }] = [view.tools.find('wipe'), view.tools]
    offer('crm', [...crm, tool('other')])
    expect([view.tools.find('wipe') === wipe, view.tools.version]).toEqual([true, version])
  })

  it('follow the catalog: what comes is there, what goes is gone, and listeners are told', () => {
    const { view, names, offer } = openToolset(
      { tools: ['crm:*', { tool: 'mail:new', name: 'mine' }] },
      offers,
    )
    let told = 0
    view.tools.onChange(() => {
      told += 1
    })
    offer('crm', [tool('only')])
    offer('mail', [tool('new')])
    expect([names(), told]).toEqual([['crm__only', 'mine'], 2])
  })

  it('carry the mark of a connection that is down', () => {
    const { all, view } = openToolset({ tools: [{ tool: 'mail:send', name: 'write' }] }, offers)
    const stale = { since: '2026-01-01T00:00:00Z', cause: 'gone' }
    const list = all.tools.list().map((named) => ({ ...named, stale }))
    all.tools.list = () => list
    view.refresh()
    expect(view.tools.list()).toMatchObject([{ name: 'write', stale }])
  })
})

describe('overrides', () => {
  it('take the place of the tool that a pattern names too, and may show it twice', () => {
    const [us, them] = ['us', 'them'].map((from) => ({
      tool: 'mail:send',
      name: `mail_${from}`,
      arguments: { from },
    }))
    const { view, names } = openToolset({ tools: ['mail:*', us!, them!] }, offers)
    expect(names()).toEqual(['mail__list', 'mail_them', 'mail_us'])
    const inputs = ['mail_us', 'mail_them'].map(
      (name) => view.tools.find(name)!.target.delegate!({ to: 'x' }).input,
    )
    expect(inputs).toEqual([
      { to: 'x', from: 'us' },
      { to: 'x', from: 'them' },
    ])
  })

  it('that do not fit leave their tool out, pattern or not, and say so once', () => {
    const wrong = { tool: 'mail:send', arguments: { from: 5 } }
    const { names, lines, offer } = openToolset({ tools: ['*', wrong] }, offers)
    offer('crm', [])
    expect(names()).toEqual(['mail__list'])
    expect(lines).toMatchObject(
      [
        {
          level: 'error',
          event: 'toolset.tool-left-out',
          toolset: 'support',
          tool: 'mail:send',
          cause: /string/,
        },
      ].map((line) => ({ ...line, cause: expect.stringMatching(line.cause) })),
    )
  })

  it('are looked at again when the tool changes', () => {
    const { names, offer } = openToolset({ tools: [{ tool: 'mail:send', arguments: { from: 'x' } }] }, offers)
    offer('mail', [tool('send', { to: {} })])
    expect(names()).toEqual([])
    offer('mail', [tool('send', { from: { type: 'string' } })])
    expect(names()).toEqual(['mail__send'])
  })

  it('keep the name they give: no server can take it by offering a tool of that name', () => {
    const rename = { tool: 'crm:find_customer', name: 'mail__send' }
    const { view, lines } = openToolset({ tools: ['*', rename] }, offers)
    expect(view.tools.find('mail__send')?.id).toBe('crm:find_customer')
    expect(lines).toMatchObject([
      { level: 'error', name: 'mail__send', kept: 'crm:find_customer', dropped: 'mail:send' },
    ])
  })
})

describe('patterns', () => {
  it('cost no more than their length: one of many stars is quick', () => {
    const many = Array.from({ length: 2_000 }, (_, i) => tool(`${'a'.repeat(200)}${i}`))
    const startedMs = performance.now()
    openToolset({ tools: Array.from({ length: 20 }, () => `box:${'a*'.repeat(100)}c`) }, { box: many })
    expect(performance.now() - startedMs).toBeLessThan(2_000)
  })
})

describe('prompts and resources of a toolset', () => {
  const docs = [
    prompt('ask'),
    prompt('tell'),
    resource('file:///guides/a.md'),
    resource('file:///secret.md'),
    template('file:///guides/{name}'),
    template('file:///{path}'),
  ]
  const narrowed = { prompts: ['docs:a*'], resources: ['docs:file:///guides/*'] }
  const named = (listing: { list(): readonly { name: string }[] }) => listing.list().map(({ name }) => name)

  it('are none by default', () => {
    const { view } = openToolset({ tools: ['*'] }, { docs })
    expect([named(view.prompts), named(view.resources), named(view.templates)]).toEqual([[], [], []])
    expect(view.resolve('file:///guides/a.md')).toBeUndefined()
  })

  it('are those that patterns name', () => {
    const { view } = openToolset(narrowed, { docs })
    expect([named(view.prompts), named(view.resources)]).toEqual([['docs__ask'], ['file:///guides/a.md']])
    expect(named(view.templates)).toEqual(['file:///guides/{name}'])
  })

  it('answer for URIs that fit, listed or not, and for no other', () => {
    const { view } = openToolset(narrowed, { docs })
    const uris = ['file:///guides/a.md', 'file:///guides/new.md', 'file:///secret.md', 'file:///other.md']
    expect(uris.map((uri) => view.resolve(uri)?.uri)).toEqual([...uris.slice(0, 2), undefined, undefined])
    expect(uris.map((uri) => view.watch(uri, () => {}) !== undefined)).toEqual([true, true, false, false])
    expect(view.resolve('weir:docs:file:///secret.md')).toBeUndefined()
  })

  it.each([
    'file:///guides/../secret.md',
    'file:///guides/./../secret.md',
    'file:///guides/x/..',
    'file:///guides/..\\secret.md',
    'file:///guides/%2e%2e/secret.md',
    'file:///guides/.%2E/secret.md',
    'file:///guides/..%2fsecret.md',
    'file:///guides/..%5csecret.md',
    'file:///guides/%252e%252e/secret.md',
    'weir:docs:file:///guides/../secret.md',
  ])('cannot be climbed out of: %s', (uri) => {
    const { view, all } = openToolset(narrowed, { docs })
    expect(all.resolve(uri)).toBeDefined()
    expect(view.resolve(uri)).toBeUndefined()
  })

  it('hold for servers that answer for what they do not list', () => {
    const { view } = openToolset(narrowed, { docs: [template('', true)] })
    expect(view.resolve('file:///guides/b.md')?.uri).toBe('file:///guides/b.md')
    expect(view.resolve('file:///b.md')).toBeUndefined()
  })
})
