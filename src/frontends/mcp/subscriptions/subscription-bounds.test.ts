import { describe, expect, it } from 'vitest'
import type { Listing, View } from '../../../core/catalog.ts'
import { createFakeClock } from '../../../testing/fake-clock.ts'
import { createSubscriptions, type Subscriber } from './subscriptions.ts'

const catalog = { connections: () => [], settled: async () => {} }
const subscriber = (): Subscriber => ({ notify() {}, end() {} })
const session = (id: string, expiresAtMs = Number.POSITIVE_INFINITY) => ({ id, expiresAtMs })
const tooMany = (code: string) => expect.objectContaining({ code })
const start = (clock = createFakeClock()) => createSubscriptions({ catalog, clock })

/** A view that counts who listens to its lists and its resources. */
function createCountedView() {
  const count = { lists: 0, resources: 0 }
  const counted = (what: 'lists' | 'resources') => {
    count[what] += 1
    let isOpen = true
    return {
      dispose() {
        if (isOpen) count[what] -= 1
        isOpen = false
      },
    }
  }
  const listing = {
    version: 0,
    find: () => undefined,
    list: () => [],
    onChange: () => counted('lists'),
  } as Listing
  const view = {
    ...{ tools: listing, prompts: listing, resources: listing, templates: listing },
    resolve: () => undefined,
    watch: (uri: string) => (uri === 'none:x' ? undefined : counted('resources')),
  } as unknown as View
  return { view, count }
}

const listenRequest = (id: string | number, notifications: object = { toolsListChanged: true }) =>
  ({ kind: 'request', id, method: 'subscriptions/listen', params: { notifications } }) as const
const uris = (count: number, prefix = 'u') => Array.from({ length: count }, (_, at) => `${prefix}:${at}`)

describe('the bound of streams', () => {
  it('is 1,000 characters for the id that a subscription keeps', () => {
    const subscriptions = start()
    const { view } = createCountedView()
    const listenAs = (id: string) => subscriptions.listen(listenRequest(id), view, subscriber())
    listenAs('x'.repeat(1_000)).dispose()
    expect(() => listenAs('x'.repeat(1_001))).toThrow(tooMany('INVALID_REQUEST'))
  })

  it('is 1,000 of both eras; one more is refused until one ends, and none leaks', () => {
    const { view, count } = createCountedView()
    const subscriptions = start()
    const open = Array.from({ length: 1_000 }, (_, at) =>
      at % 2 === 0
        ? subscriptions.follow(session(`s${at}`), view, subscriber())
        : subscriptions.listen(listenRequest(at), view, subscriber()),
    )
    const oneMore = [
      () => subscriptions.follow(session('more'), view, subscriber()),
      () => subscriptions.listen(listenRequest(1), view, subscriber()),
    ]
    for (const more of oneMore) expect(more).toThrow(tooMany('TOO_MANY_STREAMS'))
    open[0]?.dispose()
    open[0]?.dispose()
    subscriptions.follow(session('more'), view, subscriber())
    for (const more of oneMore) expect(more).toThrow(tooMany('TOO_MANY_STREAMS'))
    subscriptions.closeAll()
    expect(count.lists).toBe(0)
    subscriptions.follow(session('more'), view, subscriber())
  })
})

describe('the bound of resources that are followed', () => {
  it('is 1,000 a session: one more is refused, and those there are stay', () => {
    const { view, count } = createCountedView()
    const { sessions } = start()
    const [ada, eve] = [session('ada'), session('eve')]
    for (const uri of uris(1_000)) expect(sessions.subscribe(ada, view, uri)).toBe(true)
    expect(() => sessions.subscribe(ada, view, 'one:more')).toThrow(tooMany('OVERLOADED'))
    expect(sessions.subscribe(ada, view, 'u:0')).toBe(true)
    expect(sessions.subscribe(eve, view, 'one:more')).toBe(true)
    sessions.unsubscribe(ada, 'u:0')
    expect(sessions.subscribe(ada, view, 'one:more')).toBe(true)
    expect(count.resources).toBe(1_001)
    sessions.end('ada')
    expect(count.resources).toBe(1)
  })

  it('is 10,000 in all, of both eras', () => {
    const { view, count } = createCountedView()
    const subscriptions = start()
    const listen = () =>
      subscriptions.listen(listenRequest(1, { resourceSubscriptions: uris(1_000) }), view, subscriber())
    const first = listen()
    for (let at = 0; at < 8; at += 1) listen()
    subscriptions.follow(session('s'), view, subscriber())
    for (const uri of uris(999)) subscriptions.sessions.subscribe(session('s'), view, uri)
    expect(listen).toThrow(tooMany('OVERLOADED'))
    expect(count.resources).toBe(9_999)
    expect(subscriptions.sessions.subscribe(session('s'), view, 'last:1')).toBe(true)
    expect(() => subscriptions.sessions.subscribe(session('t'), view, 'one:more')).toThrow(
      tooMany('OVERLOADED'),
    )
    first.dispose()
    first.dispose()
    expect(count.resources).toBe(9_000)
    listen()
    subscriptions.closeAll()
    expect(count.resources).toBe(0)
    listen()
  })

  it('is held by those who can hear: at it the session that has been away longest gives up', () => {
    const { view, count } = createCountedView()
    const subscriptions = start()
    const { sessions } = subscriptions
    const follow = (id: string, prefix: string, some = 1_000) => {
      for (const uri of uris(some, prefix)) sessions.subscribe(session(id), view, uri)
    }
    subscriptions.follow(session('hears'), view, subscriber())
    follow('hears', 'h')
    for (let at = 1; at < 10; at += 1) follow(`gone-${at}`, 'u')
    sessions.unsubscribe(session('gone-1'), 'u:0')
    follow('gone-1', 'again', 1)
    expect(count.resources).toBe(10_000)
    // A session subscribes before it opens its stream, and must not lose its own to that.
    follow('new', 'n', 2)
    expect(count.resources).toBe(9_002)
    follow('new', 'n', 1_000)
    expect(count.resources).toBe(10_000)
    sessions.end('gone-2')
    expect(count.resources).toBe(10_000)
    sessions.end('gone-1')
    expect(count.resources).toBe(9_000)
    sessions.end('hears')
    expect(count.resources).toBe(8_000)
    subscriptions.closeAll()
    expect(count.resources).toBe(0)
  })

  it('is the session’s time too: a session that expires follows nothing any more, stream or none', async () => {
    const { view, count } = createCountedView()
    const clock = createFakeClock()
    const { sessions } = start(clock)
    for (const uri of uris(3)) sessions.subscribe(session('s', clock.now() + 1_000), view, uri)
    expect(clock.pendingMs).toEqual([1_000])
    await clock.advance(999)
    expect(count.resources).toBe(3)
    await clock.advance(1)
    expect([count.resources, clock.pendingMs]).toEqual([0, []])
  })

  it('keeps nothing of a session that follows nothing', () => {
    const { view } = createCountedView()
    const clock = createFakeClock()
    const subscriptions = start(clock)
    const soon = session('s', clock.now() + 1_000)
    expect(subscriptions.sessions.subscribe(soon, view, 'none:x')).toBe(false)
    subscriptions.sessions.subscribe(soon, view, 'u:1')
    subscriptions.sessions.unsubscribe(soon, 'u:1')
    subscriptions.follow(soon, view, subscriber()).dispose()
    // Its timer would be what is left of it.
    expect(clock.pendingMs).toEqual([])
  })
})
