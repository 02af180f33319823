import { expect, it } from 'vitest'
import { createAuthenticate } from './create-authenticate.ts'
import { readCredential } from './read-credential.ts'

it.each([
  ['Bearer abc', 'abc'],
  ['bearer   abc ', 'abc'],
  ['BEARER a.b.c', 'a.b.c'],
])('reads %s', (authorization, credential) => {
  expect(readCredential({ headers: { authorization } })).toBe(credential)
})

it('reads a key from a header of its own', () => {
  expect(readCredential({ headers: { 'x-api-key': 'mcp_1' } })).toBe('mcp_1')
})

it.each([
  {},
  { authorization: 'Basic abc' },
  { authorization: 'Bearerabc' },
  { authorization: '' },
  { authorization: ['Bearer a', 'Bearer b'] },
  { authorization: 'Bearer a', 'x-api-key': 'mcp_1' },
  { authorization: `Bearer ${'a'.repeat(16 * 1024)}` },
])('S1: refuses %j', (headers) => {
  const refusal = expect.objectContaining({ code: 'UNAUTHENTICATED' })
  expect(() => readCredential({ headers })).toThrow(refusal)
})

it('S1: a credential of a kind that is not configured has no other way in', () => {
  const caller = { subject: 's', tenant: 't' }
  const tokensOnly = createAuthenticate({ ofToken: () => caller })
  const keysOnly = createAuthenticate({ ofKey: () => caller })
  const refusal = expect.objectContaining({ code: 'UNAUTHENTICATED' })
  expect(() => tokensOnly({ headers: { authorization: 'Bearer mcp_1' } })).toThrow(refusal)
  expect(() => keysOnly({ headers: { authorization: 'Bearer a.b.c' } })).toThrow(refusal)
})
