import { describe, expect, it } from 'vitest'
import { WeirError } from '../../../core/error.ts'
import { renderRpcError } from '../rendering/render-rpc-error.ts'
import { readUrlElicitation } from './read-url-elicitation.ts'

describe('a URL that must be visited first', () => {
  const upstream = (code: number, data: unknown) =>
    new WeirError('UPSTREAM_ERROR', 'Sign in.', { data: { code, message: 'Sign in.', data } })
  const data = { elicitations: [{ mode: 'url', url: 'https://x', elicitationId: '1' }], more: 1 }

  it('goes on to the old era as it came', () => {
    const error = upstream(-32042, data)
    expect(readUrlElicitation(error)).toEqual({ code: -32042, data })
    expect(renderRpcError(error, 'legacy')).toMatchObject({ code: -32042, message: 'Sign in.', data })
    expect(renderRpcError(error, 'modern')).toMatchObject({ code: -32603, message: 'Sign in.' })
  })

  it.each([
    ['another code', upstream(-32001, data)],
    ['no list', upstream(-32042, { elicitations: 'x' })],
    ['no data', upstream(-32042, undefined)],
    ['no upstream', new WeirError('INTERNAL', 'x', { data: { code: -32042, data } })],
  ])('is no other error: %s', (_what, error) => {
    expect(readUrlElicitation(error)).toBeUndefined()
    expect(renderRpcError(error, 'legacy').code).toBe(-32603)
  })
})
