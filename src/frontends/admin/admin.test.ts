import { describe, expect, it } from 'vitest'
import type { Caller, Grants } from '../../core/caller.ts'
import { everything } from '../../core/caller.ts'
import { silentLogger } from '../../core/logger.ts'
import { closeLater, makeFolder, openIn } from '../../store/store.fixture.ts'
import { createHttpServer } from '../shared/http-server.ts'
import { createOperatorCheck } from '../shared/identity/operator.ts'
import { requireCaller } from '../shared/require-caller.ts'
import { admin } from './admin.ts'

const token = 'a'.repeat(64)
const only = (allowed: string): Grants => ({
  decide: (permission) => ({ isAllowed: permission === allowed, rule: 'test' }),
})
const ada: Caller = { subject: 'key:ada', tenant: 'acme', grants: only('admin:approvals') }
const grace: Caller = { ...ada, subject: 'key:grace' }

/** One request of Ada's that waits, and a server that takes everybody for `caller`. */
async function serve(caller: Caller, more: { readonly hasToken?: boolean } = {}) {
  const { approvals } = await openIn(makeFolder())
  const request = { tool: 'a:b', definitionHash: 'd', digest: 'e', shown: '{"to":"bob"}' }
  const { id } = (await approvals.open({ ...request, caller: ada }, Date.now() + 60_000))!
  const http = createHttpServer({ allowedHosts: [], allowedOrigins: [] }, silentLogger)
  const operatorToken = more.hasToken === false ? undefined : async () => token
  const operator = createOperatorCheck(operatorToken)
  requireCaller(http, { authenticate: () => caller, challenge: () => 'Bearer', operator })
  admin(http, { approvals, log: silentLogger })
  closeLater(http)
  const ask = async (
    method: 'GET' | 'POST',
    path = '',
    headers: Record<string, string> = {},
    payload = '',
  ) => {
    const url = `/api/admin/approvals${path}`
    const all = { host: 'localhost', 'content-type': 'application/json', ...headers }
    const response = await http.inject({ method, url, headers: all, ...(payload === '' ? {} : { payload }) })
    return { status: response.statusCode, body: response.json() }
  }
  const stateOf = async () => (await approvals.find([id]))[0]?.state
  return { id, ask, stateOf }
}

describe('S14: the admin API', () => {
  it.each([
    [
      'this machine’s user, who may do everything',
      { subject: 'local:grace', tenant: 'x', grants: everything },
    ],
    ['the command line’s, in the same way', { subject: 'cli:grace', tenant: 'x', grants: everything }],
    ['a caller with another permission', { ...grace, grants: only('tool:a:b') }],
    ['a caller without any', { subject: 'key:grace', tenant: 'acme' }],
    ['the requester, who has the permission', ada],
  ])('does not let %s decide', async (_, caller: Caller) => {
    const { id, ask, stateOf } = await serve(caller)
    for (const path of ['approve', 'deny']) {
      expect(await ask('POST', `/${id}/${path}`)).toMatchObject({
        ...{
          status: 403,
          body: { error: { code: expect.stringMatching(/^(OPERATOR_ONLY|PERMISSION_DENIED)$/) } },
        },
      })
    }
    expect(await stateOf()).toBe('pending')
  })

  it('lets another authenticated caller with admin:approvals decide, under their own name', async () => {
    const { id, ask, stateOf } = await serve(grace, { hasToken: false })
    expect((await ask('GET', '?state=pending')).body.approvals).toMatchObject([
      { id, tool: 'a:b', arguments_shown: '{"to":"bob"}', caller: { subject: 'key:ada', tenant: 'acme' } },
    ])
    expect(await ask('POST', `/${id}/deny`, {}, '{"reason":"No."}')).toMatchObject({
      ...{ status: 200, body: { state: 'denied', decided_by: 'key:grace', reason: 'No.' } },
    })
    expect(await stateOf()).toBe('denied')
    expect((await ask('GET', `/${id}`)).body).toMatchObject({ state: 'denied' })
  })

  it('lets the holder of the token decide, whoever they are to the tools', async () => {
    const { id, ask, stateOf } = await serve({ subject: 'local:ada', tenant: 'default', grants: everything })
    const headers = { authorization: `Bearer ${token}` }
    expect((await ask('POST', `/${id}/approve`, headers)).body).toMatchObject({ decided_by: 'operator' })
    expect(await stateOf()).toBe('approved')
    expect((await ask('GET', '?state=used', headers)).body).toEqual({ approvals: [] })
    expect((await ask('GET', '?state=broken', headers)).status).toBe(400)
    expect((await ask('POST', `/${id}/approve`, { ...headers, host: 'evil.example' })).status).toBe(403)
  })

  it('takes no token where there is none', async () => {
    const { id, ask, stateOf } = await serve({ subject: 'local:ada', tenant: 'x' }, { hasToken: false })
    for (const authorization of ['Bearer undefined', `Bearer ${token}`, 'Bearer x']) {
      expect((await ask('POST', `/${id}/approve`, { authorization })).status).toBe(403)
    }
    expect(await stateOf()).toBe('pending')
  })
})
