import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Caller, everything } from '../../core/caller.ts'
import { WeirError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Authenticate } from './authenticate.ts'
import { createHttpServer } from './http-server.ts'
import { callerOf, requireCaller } from './require-caller.ts'

const ada: Caller = { subject: 'key:ada', tenant: 't', grants: everything }
const rules = { allowedHosts: [], allowedOrigins: [] }
const unknown = () => new WeirError('UNAUTHENTICATED', 'Nobody.')

let served: string[] = []
beforeEach(() => {
  served = []
})

function open(authenticate: Authenticate) {
  const server = createHttpServer(rules, silentLogger)
  requireCaller(server, { authenticate, challenge: () => 'Bearer realm="weir"' })
  server.get('/public', { config: { access: 'public' } }, () => ({ ok: true }))
  server.get('/own', { config: { access: 'caller' } }, (request) => {
    served.push(callerOf(request).subject)
    return { ok: true }
  })
  server.get('/metrics', { config: { access: 'admin:metrics' } }, () => {
    served.push('metrics')
    return { ok: true }
  })
  return server
}
let server: ReturnType<typeof open> | undefined
afterEach(() => server?.close())

const get = async (url: string) => {
  const { statusCode, headers, body } = await server!.inject({ url, headers: { host: '127.0.0.1' } })
  return [statusCode, headers['www-authenticate'], JSON.parse(body).error?.code]
}

describe.each([
  ['at once', (caller: Caller) => caller],
  ['later', async (caller: Caller) => caller],
])('a caller who is found %s', (_when, answer) => {
  it('S1: reaches the routes that it may use', async () => {
    server = open(() => answer(ada))
    expect([await get('/public'), await get('/own'), await get('/metrics')]).toEqual(
      Array(3).fill([200, undefined, undefined]),
    )
    expect(served).toEqual(['key:ada', 'metrics'])
  })

  it.each([
    undefined,
    { decide: (permission: string) => ({ isAllowed: permission === 'admin:other', rule: 'r' }) },
  ])('reaches nothing of Weir’s own without the permission', async (grants) => {
    server = open(() => answer({ subject: 's', tenant: 't', ...(grants && { grants }) }))
    expect(await get('/metrics')).toEqual([403, undefined, 'PERMISSION_DENIED'])
    expect(served).toEqual([])
  })
})

it.each<[string, Authenticate]>([
  [
    'at once',
    () => {
      throw unknown()
    },
  ],
  ['later', () => Promise.reject(unknown())],
])('S1: a caller who is refused %s reaches nothing but what is public', async (_when, authenticate) => {
  server = open(authenticate)
  expect(await get('/public')).toEqual([200, undefined, undefined])
  const refused = [401, 'Bearer realm="weir"', 'UNAUTHENTICATED']
  expect([await get('/own'), await get('/metrics')]).toEqual([refused, refused])
  expect(await get('/nowhere')).toEqual([404, undefined, 'ROUTE_NOT_FOUND'])
  expect(served).toEqual([])
})

it.each<[string, Authenticate]>([
  [
    'throws',
    () => {
      throw new Error('broken')
    },
  ],
  ['rejects', () => Promise.reject(new Error('broken'))],
])('S1: what %s lets nobody in', async (_how, authenticate) => {
  server = open(authenticate)
  expect(await get('/own')).toEqual([500, undefined, 'INTERNAL'])
  expect(served).toEqual([])
})

it('S1: a route that does not say who may use it does not build', () => {
  server = open(() => ada)
  expect(() => server!.post('/forgotten', () => ({}))).toThrow(
    'POST /forgotten does not declare who may use it',
  )
})
